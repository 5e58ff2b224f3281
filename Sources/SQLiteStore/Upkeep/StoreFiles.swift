internal import Base
internal import Push

/// The store's files as others may touch them. Twice a second it is looked whether they are still there, and written down how far
/// the log reaches. Writer only.
final class StoreFiles {
    private let watch: FileWatch
    private let mark: PositionMark
    private static let pause: Int64 = 500_000_000
    /// When it is to be looked again, in monotonic nanoseconds.
    private(set) var nextLook: Int64

    /// - Parameters:
    ///   - path: of the open file.
    ///   - store: its number.
    ///   - head: its newest position.
    init(path: String, store: UInt32, head: UInt64) throws(SQLiteError) {
        watch = FileWatch([path, path + "-wal"])
        mark = try PositionMark(of: path, store: store, head: head)
        nextLook = MonotonicClock.nanoseconds + Self.pause
    }

    /// - Parameter head: the newest position that is committed.
    /// - Returns: what has happened to the files; `nil` where nothing has.
    func look(head: UInt64) -> BilingualText? {
        nextLook = MonotonicClock.nanoseconds + Self.pause
        if let loss = watch.loss { return loss }
        mark.write(head: head)
        return nil
    }

    /// The end: nothing is committed any more.
    func finish(head: UInt64) {
        mark.write(head: head)
        mark.sync()
    }
}
