internal import Base
internal import Libevent

// Looking for a server: one round over all hosts after the other, until a session is ready.

extension PostgresConnection {
    /// Begins with what may block, on a thread of its own.
    func beginRound() {
        phase = .preparing
        generation += 1
        let (generation, options) = (generation, options)
        tell(.state(.connecting))
        do throws(SystemError) {
            try Errand.run("psp resolver") { [self] in
                let preparation = Result { () throws(PostgresLoss) in try Preparation(options) }
                enter { $0.tryHosts(preparation, generation) }
            }
        } catch {
            rest(after: .system("pthread_create: \(error)"))
        }
    }

    private func tryHosts(_ preparation: Result<Preparation, PostgresLoss>, _ generation: Int) {
        guard generation == self.generation, phase == .preparing else { return }
        switch preparation {
        case .success(let preparation):
            password = preparation.password
            round = HostRound(preparation.endpoints, beginningWith: lastEndpoint, behind: isMovingOn)
            isMovingOn = false
            tryNextHost()
        case .failure(let loss): rest(after: loss)
        }
    }

    private func tryNextHost() {
        while let next = round?.next() {
            guard let link = Link(ConnectionParameters(options, password: password, next)) else {
                return rest(after: .system("no memory"))
            }
            if link.isBad {
                round?.failed(link.refusal(by: next))
                continue
            }
            (self.link, endpoint, phase) = (link, next, .connecting)
            setPhaseTimer(after: connectTimeout) { $0.giveUpHost() }
            // libpq wants to be called when the socket can be written.
            return watchLink(.writing)
        }
        rest(after: round?.failure ?? .unresolved("no host"))
    }

    private var connectTimeout: Duration {
        options.address["connect_timeout"].flatMap { Int($0) }.flatMap { $0 > 0 ? .seconds($0) : nil } ?? options.connectTimeout
    }

    private func giveUpHost() {
        let loss = PostgresLoss.silent(host: endpoint?.description ?? "")
        round?.failed(loss)
        endSession(loss)
        tryNextHost()
    }

    /// The socket is ready: libpq goes on, and may close it and open another.
    private func goOnConnecting() {
        unwatchLink()
        guard let link else { return }
        let progress = link.poll()
        tellNotices()
        switch progress {
        case .reading, .writing: watchLink(progress)
        case .connected: setUp()
        case .failed:
            if let endpoint { round?.failed(link.refusal(by: endpoint)) }
            dropLink()
            tryNextHost()
        }
    }

    private func watchLink(_ progress: Link.Progress) {
        guard let link else { return }
        do throws(LibeventError) {
            let watch = try DescriptorWatch(
                on: loop, link.descriptor, onReadable: { [unowned self] in goOnConnecting() },
                onWritable: { [unowned self] in goOnConnecting() })
            if case .reading = progress { watch.waitsForReading = true } else { watch.waitsForWriting = true }
            self.watch = watch
        } catch {
            fail(.system("\(error)"))
        }
    }

    func unwatchLink() {
        watch?.end()
        watch = nil
    }

    /// Closes the connection; its events go first.
    func dropLink() {
        unwatchLink()
        link = nil
    }

    // MARK: Resting

    /// No host did, or the session is lost: a pause, then the next round.
    func rest(after loss: PostgresLoss) {
        lastLoss = loss
        phase = .resting
        tell(.state(.lost(loss)))
        setPhaseTimer(after: pace.next(using: &random)) { $0.beginRound() }
    }

    func setPhaseTimer(after delay: Duration, _ action: @escaping @Sendable (isolated PostgresConnection) -> Void) {
        phaseTimer?.cancel()
        do throws(LibeventError) {
            phaseTimer = try Timer(on: loop, after: delay) { [unowned self] in action(self) }
        } catch {
            // A process without memory for a timer has none for a connection either.
            preconditionFailure("\(error)")
        }
    }
}
