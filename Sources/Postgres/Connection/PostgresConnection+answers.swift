internal import Libevent

// What comes from the server.

extension PostgresConnection {
    /// The socket can be read.
    func receive() {
        guard let link, let watch else { return }
        let isWhole = link.consume()
        // libpq has closed the descriptor.
        if !isWhole { watch.end() }
        takeAnswers(from: link)
        guard self.link === link else { return }
        while let notification = link.nextNotification() { tell(.notification(notification)) }
        tellNotices()
        guard isWhole else { return fail(farewell.map { .ended($0) } ?? .broken(link.errorText)) }
        lookAtSession(link)
        sendWaiting()
        endWhenDone()
    }

    private func takeAnswers(from link: Link) {
        while !inFlight.isEmpty, self.link === link {
            var progress = Reply.Progress.goesOn
            let hasResult = link.withNextResult { result in progress = inFlight[inFlight.start].reply.take(result) }
            for notice in link.takeNotices() { take(notice) }
            guard let hasResult else { return }
            switch progress {
            case .over: finishFirst()
            case .broken(let text): return fail(farewell.map { .ended($0) } ?? .broken(text))
            case .goesOn where !hasResult:
                if link.isBad { return fail(.broken(link.errorText)) }
                // A script has no other end than that nothing more comes of it.
                if inFlight[inFlight.start].call.isScript { finishScript(link) }
            case .goesOn:
                if let error = inFlight[inFlight.start].reply.error, error.severity.endsSession { return fail(.ended(error)) }
            }
        }
    }

    private func finishScript(_ link: Link) {
        guard link.beginPipeline() else { return fail(.broken(link.errorText)) }
        finishFirst()
    }

    /// The first call's transaction is over.
    private func finishFirst() {
        guard var call = inFlight.popFirst() else { return }
        if call.reply.awaitsPreparation, case .statement(let statement, _) = call.call.work {
            prepared[statement.number] = nil
        }
        let outcome = call.reply.outcome(warningMeansUnknown: call.call.warningMeansUnknown)
        if case .failed(let error) = outcome, error.state == .readOnlyTransaction, wantsWriter { retire(.readOnly) }
        call.finish(outcome)
        if cancellation != nil { cancelledCallEnded() }
    }

    /// Whether a server that only reads is of no use here.
    private var wantsWriter: Bool {
        let wish = options.address["target_session_attrs"] ?? options.targetSessionAttributes
        return wish == "read-write" || wish == "primary"
    }

    /// A notice came: of the call that the server works on, or of the session.
    private func take(_ notice: PostgresError) {
        if notice.severity.endsSession { farewell = notice }
        if !inFlight.isEmpty { inFlight[inFlight.start].reply.take(notice) }
        tell(.notice(notice))
    }

    func tellNotices() {
        guard let link else { return }
        for notice in link.takeNotices() { take(notice) }
    }

    /// A standby that is promoted says so.
    private func lookAtSession(_ link: Link) {
        guard phase == .ready, let isInHotStandby = link.isInHotStandby, session?.isInHotStandby != isInHotStandby else { return }
        session?.isInHotStandby = isInHotStandby
        if let session { tell(.state(.ready(session))) }
    }

    /// Where the end was waiting for the last answer.
    private func endWhenDone() {
        guard inFlight.isEmpty else { return }
        if isClosing { return finishClosing() }
        if let retirement { fail(retirement) }
    }
}
