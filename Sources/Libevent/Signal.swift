/// Calls a closure on the loop when the process gets a signal. libevent knows one loop for signals in a process: make them all on
/// the same.
public final class Signal {
    private let loop: EventLoop
    private let event: LoopEvent

    /// Listens for signal `number` (`SIGTERM`) until it is let go. On the loop's thread, or before the loop starts.
    public init(_ number: Int32, on loop: EventLoop, _ body: @escaping () -> Void) throws(LibeventError) {
        self.loop = loop
        event = try LoopEvent(on: loop, .signal(number), repeats: true) { _ in body() }
        event.add()
    }

    deinit { loop.release(event) }
}
