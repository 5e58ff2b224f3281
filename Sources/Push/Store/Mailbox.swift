/// A loop, as the store sees it: answers and feed come as jobs, in order.
public protocol Mailbox: Sendable {
    /// Runs `work` on the loop, after everything that was posted before. Callable from any thread.
    func execute(_ work: @escaping @Sendable () -> Void)
}
