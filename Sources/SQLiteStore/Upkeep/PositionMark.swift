internal import Glibc

/// `psp.mark`, beside the store's file: which store went on there, in which file, and how far its log reached.
///
/// A store that is opened and does not agree with it is not certain to be what went on there last. It may be a copy, and then
/// what the copy lacks was told to callers and devices. So it must not tell the same again of something else; see ``Renewal``.
///
/// Written once a second by a single `pwrite` of one block, and not synced: that outlasts the process, however it ends. After a
/// power failure it may tell of half a minute before, and a suffix of the log that is shorter than that (which a disk has lost
/// although it was synced) goes unnoticed.
final class PositionMark {
    /// What it tells.
    struct Content: Equatable {
        /// The number of the store; another one each time it makes itself new.
        var store: UInt32
        /// A position that was committed.
        var head: UInt64
        /// The numbers of the two files in their file system: copies of both have others.
        var database: UInt64
        var mark: UInt64

        fileprivate init(store: UInt32, head: UInt64, database: UInt64, mark: UInt64) {
            (self.store, self.head, self.database, self.mark) = (store, head, database, mark)
        }

        fileprivate init?(_ text: String) {
            let words = text.split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 6, words[0] == "1", words[5] == "\n", let store = UInt32(words[1]), let head = UInt64(words[2]),
                let database = UInt64(words[3]), let mark = UInt64(words[4])
            else { return nil }
            self.init(store: store, head: head, database: database, mark: mark)
        }

        fileprivate var text: String { "1 \(store) \(head) \(database) \(mark) \n" }
    }

    private let file: Int32
    private var content: Content
    private static let size = 128

    /// Opens the mark of the store in `database`, making it if there is none.
    /// - Parameters:
    ///   - store: its number now.
    ///   - head: its newest position.
    init(of database: String, store: UInt32, head: UInt64) throws(SQLiteError) {
        let path = Self.path(of: database)
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        var information = stat()
        var beside = stat()
        guard file >= 0, fstat(file, &information) == 0, stat(database, &beside) == 0 else {
            let code = errno
            if file >= 0 { close(file) }
            throw SQLiteError(code: code == ENOSPC || code == EDQUOT ? 13 : 14, message: "\(path) cannot be made", system: code)
        }
        content = Content(store: store, head: head, database: UInt64(beside.st_ino), mark: UInt64(information.st_ino))
        write()
        fsync(file)
    }

    deinit { close(file) }

    /// The log reaches that far, and it is on the disk.
    func write(head: UInt64) {
        guard head != content.head else { return }
        content.head = head
        write()
    }

    func sync() { fdatasync(file) }

    /// What cannot be written leaves the older text, which tells less and nothing wrong.
    private func write() {
        var bytes = [UInt8](repeating: UInt8(ascii: " "), count: Self.size)
        let text = Array(content.text.utf8)
        bytes.replaceSubrange(0..<text.count, with: text)
        _ = pwrite(file, bytes, bytes.count, 0)
    }

    private static func path(of database: String) -> String {
        (database.hasSuffix(".db") ? String(database.dropLast(3)) : database) + ".mark"
    }

    /// Whether the store in `database`, with that number and that newest position, is certainly what went on there last.
    static func agrees(with database: String, store: UInt32, head: UInt64) -> Bool {
        let path = path(of: database)
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return false }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: size)
        let count = read(file, &bytes, bytes.count)
        var information = stat()
        var beside = stat()
        guard count == size, fstat(file, &information) == 0, stat(database, &beside) == 0 else { return false }
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") } + [UInt8(ascii: "\n")]
        guard let content = Content(String(decoding: line, as: UTF8.self)) else { return false }
        return content.store == store && content.head <= head && content.database == UInt64(beside.st_ino)
            && content.mark == UInt64(information.st_ino)
    }
}
