internal import Libevent

// Calls on their way to the server.

extension PostgresConnection {
    func admit(_ call: consuming PendingCall) {
        if isClosing || phase == .closed { return call.finish(.unavailable(.closed)) }
        guard phase == .ready, retirement == nil else { return call.finish(.unavailable(.notReady(retirement ?? lastLoss))) }
        guard waiting.count < options.mostWaiting else { return call.finish(.unavailable(.crowded)) }
        arm(for: call.deadline)
        waiting.append(call)
        sendWaiting()
    }

    /// Whether the next call may be sent.
    private var maySend: Bool {
        guard phase == .ready, retirement == nil, cancellation == nil, !waiting.isEmpty else { return false }
        if inFlight.isEmpty { return true }
        if waiting[waiting.start].call.isScript || inFlight[inFlight.start].call.isScript { return false }
        return inFlight.count < options.pipelineDepth
    }

    func sendWaiting() {
        while maySend, let call = waiting.popFirst() { send(call) }
        flush()
    }

    /// Hands a call to libpq. From here on nobody knows whether the server has it, until it answers.
    func send(_ call: consuming PendingCall) {
        guard let link else { return call.finish(.unavailable(.notReady(lastLoss))) }
        let isSent =
            switch call.call.work {
            case .script(let text): link.endPipeline() && link.send(script: text)
            case .statement(let statement, let arguments):
                prepare(statement, arguments, &call.reply) && link.send(statement, arguments)
            }
        inFlight.append(call)
        if !isSent { breakOff() }
    }

    /// Sends what prepares the statement, where this session does not know it.
    private func prepare(_ statement: PostgresStatement, _ arguments: PostgresArguments, _ reply: inout Reply) -> Bool {
        let types = arguments.types
        if let known = prepared[statement.number] {
            precondition(known == types, "a statement is called with \(types) that was called with \(known): \(statement.sql)")
            return true
        }
        prepared[statement.number] = types
        reply.awaitsPreparation = true
        return link?.sendPrepare(statement, for: types) ?? false
    }

    func goOnSending() {
        // What the server sends has to be read, or it stops reading.
        receive()
    }

    func flush() {
        guard let link, let watch else { return }
        switch link.flush() {
        case .all: watch.waitsForWriting = false
        case .some: watch.waitsForWriting = true
        case .broken: breakOff()
        }
    }

    /// libpq says that the connection is broken. It ends once the running callback is over, so that nobody who is in the middle
    /// of it loses it.
    private func breakOff() {
        guard retirement == nil else { return }
        retire(.broken(link?.errorText ?? "no connection"))
        let generation = generation
        loop.afterCallback { [self] in assumeIsolated { $0.failAfterBreak(generation) } }
    }

    private func failAfterBreak(_ generation: Int) {
        guard generation == self.generation, let loss = retirement else { return }
        // It may have told why.
        receive()
        if generation == self.generation { fail(loss) }
    }
}
