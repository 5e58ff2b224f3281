internal import Libevent

// A session with a server: its begin, its end.

extension PostgresConnection {
    /// The server is connected: listens to the channels, and is ready then.
    func setUp() {
        guard let link, let endpoint, link.beginPipeline() else {
            return fail(.broken(link?.errorText ?? "no connection"))
        }
        phase = .settingUp
        session = link.session(with: endpoint.description)
        do throws(LibeventError) {
            let watch = try DescriptorWatch(
                on: loop, link.descriptor, onReadable: { [unowned self] in receive() },
                onWritable: { [unowned self] in goOnSending() }
            )
            watch.waitsForReading = true
            self.watch = watch
        } catch {
            return fail(.system("\(error)"))
        }
        for channel in options.channels {
            let name = channel.replacing("\"", with: "\"\"")
            let call = PostgresCall(PostgresStatement("listen \"\(name)\""))
            send(PendingCall(call, deadline: .max, counts) { [self] outcome in assumeIsolated { $0.listened(outcome) } })
        }
        if options.channels.isEmpty { becomeReady() }
    }

    private func listened(_ outcome: PostgresOutcome) {
        guard phase == .settingUp else { return }
        switch outcome {
        case .failed(let error): fail(.setup(error))
        case .unknown(.warned(let warning)): fail(.setup(warning))
        default: if inFlight.isEmpty { becomeReady() }
        }
    }

    private func becomeReady() {
        guard let session else { return }
        phase = .ready
        phaseTimer?.cancel()
        pace.succeeded()
        lastEndpoint = endpoint
        round = nil
        password = nil
        tell(.state(.ready(session)))
    }

    func leaveServer(_ host: String) {
        guard !isClosing, lastEndpoint?.description == host else { return }
        switch phase {
        case .ready:
            isMovingOn = true
            fail(.abandoned)
        case .preparing, .resting: isMovingOn = true
        // A round has begun already.
        case .new, .connecting, .settingUp, .closed: break
        }
    }

    func yieldSession(for pause: Duration) {
        guard phase != .new, phase != .closed, !isClosing else { return }
        fail(.yielded)
        setPhaseTimer(after: pause) { $0.beginRound() }
    }

    /// Ends the session, or the attempt to get one: nobody knows of what was sent, nothing of what waits was.
    func fail(_ loss: PostgresLoss) {
        let wasReady = phase == .ready
        if wasReady, !isClosing, loss != .yielded { counts.countLoss() }
        endSession(loss)
        // A host that fails before it is ready is one of those that were tried; to go on with the next would be a loop without a
        // pause where all do so.
        if isClosing { finishClosing() } else { rest(after: loss) }
        assert(!wasReady || inFlight.isEmpty)
    }

    /// - Parameter loss: what calls are told.
    func endSession(_ loss: PostgresLoss) {
        generation += 1
        dropLink()
        phaseTimer?.cancel()
        deadlineTimer?.cancel()
        armedFor = .max
        (session, cancellation, retirement, farewell) = (nil, nil, nil, nil)
        prepared.removeAll(keepingCapacity: true)
        phase = .resting
        for var call in inFlight.removeAll() { call.finish(.unknown(.lost(loss))) }
        for var call in waiting.removeAll() { call.finish(.unavailable(.notReady(loss))) }
    }

    /// The session ends when what is in flight has been answered; nothing more is sent.
    func retire(_ loss: PostgresLoss) {
        guard retirement == nil else { return }
        retirement = loss
        for var call in waiting.removeAll() { call.finish(.unavailable(.notReady(loss))) }
    }

    // MARK: Closing

    func close(within patience: Duration, _ done: @escaping @Sendable () -> Void) {
        guard phase != .closed else { return done() }
        closers.append(done)
        guard !isClosing else { return }
        isClosing = true
        for var call in waiting.removeAll() { call.finish(.unavailable(.closed)) }
        guard phase == .ready, !inFlight.isEmpty else { return finishClosing() }
        setPhaseTimer(after: patience) { $0.finishClosing() }
    }

    func finishClosing() {
        guard phase != .closed else { return }
        endSession(.closed)
        phase = .closed
        tell(.state(.closed))
        for done in closers { done() }
        closers = []
        letGo()
    }
}
