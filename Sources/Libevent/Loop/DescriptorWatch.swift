/// Tells when somebody else's descriptor can be read or written: a socket that a C library opens, uses and closes.
///
/// The watch ends (`end()`) before the library closes the descriptor, or right after a call in which it may have: the number may
/// be another file's at the next moment.
public final class DescriptorWatch {
    private let loop: EventLoop
    private let readable: LoopEvent
    private let writable: LoopEvent

    /// Makes a watch that waits for nothing yet. On the loop's thread only.
    ///
    /// - Parameters:
    ///   - onReadable: called on the loop, again and again as long as there is something to read, or the end.
    ///   - onWritable: the same for room to write, or an error. Neither may hold the watch's owner: capture that `unowned`.
    public init(
        on loop: EventLoop, _ descriptor: Int32, onReadable: @escaping () -> Void, onWritable: @escaping () -> Void
    ) throws(LibeventError) {
        self.loop = loop
        readable = try LoopEvent(on: loop, .readable(descriptor), repeats: true) { _ in onReadable() }
        writable = try LoopEvent(on: loop, .writable(descriptor), repeats: true) { _ in onWritable() }
    }

    deinit {
        loop.release(readable)
        loop.release(writable)
    }

    /// Whether something to read is waited for.
    public var waitsForReading = false {
        didSet { set(readable, from: oldValue, to: waitsForReading) }
    }

    /// Whether room to write is waited for.
    public var waitsForWriting = false {
        didSet { set(writable, from: oldValue, to: waitsForWriting) }
    }

    /// No call follows.
    public func end() {
        waitsForReading = false
        waitsForWriting = false
    }

    private func set(_ event: LoopEvent, from old: Bool, to new: Bool) {
        guard new != old else { return }
        if new { event.add() } else { event.remove() }
    }
}
