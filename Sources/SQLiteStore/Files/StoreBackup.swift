internal import Base
internal import CSQLite
internal import Glibc
internal import Push

/// A copy of a store's file, taken while the server goes on or when none runs, and the checksum of its bytes beside it
/// (``StoreChecksum``).
///
/// The copy is what one moment held. It is read from a snapshot, page by page, in slices with pauses between them: beside 500
/// pushes a second that costs callers less than `VACUUM INTO`, and it can tell how far it has come. As long as the snapshot is
/// held the server's log cannot begin anew, so the copying gives up when the log has grown too long.
public struct StoreBackup {
    /// What was copied.
    public struct Result: Sendable {
        /// How long the copy is.
        public let bytes: Int
        /// The file beside it that has its checksum.
        public let checksumFile: String
        /// What was found in the copy afterwards.
        public let examination: StoreExamination
    }

    private let source: String
    private let target: String
    private let longestLog: Int

    /// Pages of 4 KiB that are copied at a time, and the pause after them, in microseconds.
    private static let slice: (pages: Int32, pause: UInt32) = (256, 2_000)
    /// Pages after which the copy is synced: all at once, at the end, would hold up the server's own syncs.
    private static let synced: Int32 = 4_096

    /// - Parameters:
    ///   - directory: of the store.
    ///   - target: a file that does not exist.
    ///   - longestLog: bytes of `psp.db-wal` above which the copying gives up.
    public init(of directory: String, to target: String, longestLog: Int) {
        source = directory + "/psp.db"
        self.target = target
        self.longestLog = longestLog
    }

    /// Copies, syncs and examines the copy. Where it fails nothing is left of it.
    /// - Parameter progress: told how much of all is done, from 0 to 1.
    public func run(progress: (Double) -> Void) throws(SQLiteStoreError) -> Result {
        try StoreFile.requireReadable(
            source, orElse: BilingualText("请用 --data 指定数据目录", "name the data directory with --data"))
        // Before the work and not after it; ``finish(_:)`` makes sure.
        guard access(target, F_OK) != 0 else {
            throw .failed(BilingualText("\(target) 已存在", "\(target) is there already"))
        }
        CurrentThread.yieldDisk()
        let unfinished = target + ".unfinished"
        let file = try begin(unfinished)
        defer { close(file) }
        do throws(SQLiteStoreError) {
            try copy(to: unfinished, file, progress)
            let examination = try StoreExamination(ofCopy: unfinished)
            if let problem = examination.problems.first {
                throw .failed(
                    BilingualText(
                        "副本已损坏，\(source) 也一样：\(problem)", "the copy is damaged, and so is \(source): \(problem)"))
            }
            try finish(unfinished)
            var information = stat()
            fstat(file, &information)
            return Result(
                bytes: Int(information.st_size), checksumFile: StoreChecksum.path(of: target), examination: examination)
        } catch {
            for suffix in ["", "-journal", "-wal", "-shm"] { unlink(unfinished + suffix) }
            throw error
        }
    }

    /// Makes the file that is copied into. What a backup that was killed has left under that name is written over.
    private func begin(_ path: String) throws(SQLiteStoreError) -> Int32 {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw .failed(path, .last) }
        do throws(SQLiteStoreError) {
            guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
                throw .failed(BilingualText("另一个备份正在写 \(path)", "\(path) is being written by another backup"))
            }
            var (information, named) = (stat(), stat())
            // Nobody else may read the copy: not who made a file of that name before, nor by another name of it.
            guard fstat(file, &information) == 0, information.st_mode & S_IFMT == S_IFREG, information.st_uid == geteuid(),
                information.st_nlink <= 1
            else {
                throw .failed(
                    BilingualText(
                        "\(path) 已存在，而且不是先前的备份留下的",
                        "\(path) is there already, and is not what an earlier backup has left"))
            }
            // Whoever had the lock before may have given the file its name meanwhile: then it is whole, and somebody's.
            guard information.st_nlink == 1, lstat(path, &named) == 0, named.st_ino == information.st_ino,
                access(target, F_OK) != 0
            else { throw .failed(BilingualText("\(target) 由另一个备份生成了", "\(target) was made by another backup")) }
            guard fchmod(file, 0o600) == 0, ftruncate(file, 0) == 0 else { throw .failed(path, .last) }
            return file
        } catch {
            close(file)
            throw error
        }
    }

    private func copy(to path: String, _ file: Int32, _ progress: (Double) -> Void) throws(SQLiteStoreError) {
        var tooLong: Int?
        do throws(SQLiteError) {
            let from = try Database(path: source, role: .reader)
            let to = try Database(path: path, role: .copy)
            try from.reading { () throws(SQLiteError) in
                // The snapshot begins with the first look.
                _ = try from.number("SELECT count(*) FROM sqlite_master")
                var sinceSync: Int32 = 0
                try from.copy(to: to, pagesAtATime: Self.slice.pages) { (done, all) throws(SQLiteError) in
                    progress(all == 0 ? 1 : Double(done) / Double(all))
                    tooLong = logLength
                    if tooLong != nil { throw SQLiteError(code: SQLITE_ABORT, message: "the log is too long") }
                    sinceSync += Self.slice.pages
                    if sinceSync >= Self.synced {
                        sinceSync = 0
                        fdatasync(file)
                    }
                    usleep(Self.slice.pause)
                }
            }
            // A file that needs no other beside it.
            try to.execute("PRAGMA journal_mode=DELETE")
        } catch {
            if let tooLong {
                throw .unavailable(
                    BilingualText(
                        "\(source)：其间 psp.db-wal 已增长到 \(tooLong) MiB；请在推送较少时重试，或用 --max-log 放宽",
                        "\(source): psp.db-wal has grown to \(tooLong) MiB meanwhile; try again when less is pushed, or allow "
                            + "more with --max-log"))
            }
            throw SQLiteStoreError("\(source) → \(target)", error)
        }
        guard fsync(file) == 0 else { throw .failed(path, .last) }
    }

    /// In MiB, where the log is longer than it may become.
    private var logLength: Int? {
        var information = stat()
        guard stat(source + "-wal", &information) == 0, Int(information.st_size) > longestLog else { return nil }
        return Int(information.st_size) >> 20
    }

    /// The checksum comes first: a copy that has its name has one.
    private func finish(_ unfinished: String) throws(SQLiteStoreError) {
        // The checksum beside a file that has come meanwhile is that file's.
        guard access(target, F_OK) != 0 else { throw .failed(target, SystemError(code: EEXIST)) }
        try StoreChecksum.write(try StoreChecksum.digest(of: unfinished), beside: target)
        // Not over a file that has come meanwhile.
        guard link(unfinished, target) == 0 else {
            let error = SystemError.last
            unlink(StoreChecksum.path(of: target))
            throw .failed(target, error)
        }
        unlink(unfinished)
        StoreFile.syncDirectory(of: target)
    }
}
