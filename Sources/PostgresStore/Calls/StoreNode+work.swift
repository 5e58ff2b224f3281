internal import Push
internal import StoreCore

// How the node works things off, and answers.

extension StoreNode {
    /// Begins a piece of work on the node's loop.
    func work(_ body: @escaping @Sendable (isolated StoreNode) async -> Void) {
        Task.immediate(executorPreference: loop) { await body(self) }
    }

    /// Until the node has joined.
    func untilReady() async {
        while number == 0, !isClosing { await readyBell.wait(atMost: options.rest) }
    }

    /// Sends what was answered, with the entries that have gathered.
    func sendAnswers() {
        outbox.send(upTo: head) { directory.snapshot(at: head, of: lease.lastTerm) }
    }
}
