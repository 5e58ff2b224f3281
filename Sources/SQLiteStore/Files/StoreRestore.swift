internal import Base
internal import Crypto
internal import Glibc
internal import Push

/// Puts a copy of a store into a data directory in which no server runs.
///
/// The store that was there is kept beside it. The copy has no `psp.mark`, by which the server notices at its next start that it
/// goes on from a copy (``Renewal``); nor is there an admin token, so that a new one is made.
public final class StoreRestore {
    private let directory: String
    private let lock: DirectoryLock
    /// Whether there is a store that will be put aside.
    public let replaces: Bool

    /// What was put in place.
    public struct Result: Sendable {
        /// What was found in the copy.
        public let examination: StoreExamination
        /// Whether there was a checksum beside it by which its bytes could be judged.
        public let isCompared: Bool
    }

    /// Holds the directory, so that no server starts meanwhile. It is made if it is missing.
    public init(into directory: String) throws(SQLiteStoreError) {
        self.directory = directory
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else { throw .failed(directory, .last) }
        lock = try DirectoryLock(directory)
        replaces = access(directory + "/psp.db", F_OK) == 0
    }

    /// - Parameters:
    ///   - copy: a file made by ``StoreBackup``, which is left as it is.
    ///   - suffix: what the names of the files that were there get.
    ///   - progress: told how much of all is done, from 0 to 1.
    /// - Throws: also for a copy whose bytes are not those that its backup wrote.
    public func run(
        from copy: String, keepingOldAs suffix: String, progress: (Double) -> Void
    ) throws(SQLiteStoreError) -> Result {
        let new = directory + "/psp.db.new"
        do throws(SQLiteStoreError) {
            let isCompared = try write(copy, to: new, progress)
            let examination = try StoreExamination(ofCopy: new)
            if let problem = examination.problems.first {
                throw .failed(BilingualText("\(copy) 已损坏：\(problem)", "\(copy) is damaged: \(problem)"))
            }
            try putInPlace(keepingOldAs: suffix)
            for name in ["psp.mark", "admin.token", "pspd.json"] { unlink("\(directory)/\(name)") }
            StoreFile.syncDirectory(of: directory + "/psp.db")
            return Result(examination: examination, isCompared: isCompared)
        } catch {
            unlink(new)
            throw error
        }
    }

    /// Either the copy is the store afterwards, or the store that was there is again. Whoever is killed in the middle leaves
    /// `psp.db.new`, beside which no server begins an empty store.
    private func putInPlace(keepingOldAs suffix: String) throws(SQLiteStoreError) {
        // A log keeps the name that belongs to its file's.
        let names = [("psp.db", "psp.db\(suffix)"), ("psp.db-wal", "psp.db\(suffix)-wal")]
        for (_, old) in names where isThere(old) { throw .failed("\(directory)/\(old)", SystemError(code: EEXIST)) }
        var aside: [(name: String, old: String)] = []
        do throws(SQLiteStoreError) {
            for (name, old) in names where isThere(name) {
                try move(name, to: old)
                aside.append((name, old))
            }
            unlink(directory + "/psp.db-shm")
            try move("psp.db.new", to: "psp.db")
        } catch {
            for (name, old) in aside.reversed() { try move(old, to: name) }
            throw error
        }
    }

    private func isThere(_ name: String) -> Bool { access("\(directory)/\(name)", F_OK) == 0 }

    private func move(_ name: String, to other: String) throws(SQLiteStoreError) {
        guard rename("\(directory)/\(name)", "\(directory)/\(other)") == 0 else {
            throw .failed("\(directory)/\(name)", .last)
        }
    }

    /// - Returns: whether there was a checksum, which matches.
    private func write(_ copy: String, to new: String, _ progress: (Double) -> Void) throws(SQLiteStoreError) -> Bool {
        let from = open(copy, O_RDONLY | O_CLOEXEC)
        guard from >= 0 else { throw .failed(copy, .last) }
        defer { close(from) }
        var information = stat()
        guard fstat(from, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            throw .failed(BilingualText("\(copy) 不是 pspctl backup 生成的文件", "\(copy) is not a file that pspctl backup made"))
        }
        guard access(copy + "-wal", F_OK) != 0 else {
            throw .failed(
                BilingualText(
                    "旁边的 \(copy)-wal 含有该存储的一部分：请用 pspctl backup 复制",
                    "\(copy)-wal beside it holds a part of that store: copy it with pspctl backup"))
        }
        let wanted = try StoreChecksum.read(beside: copy)
        let to = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard to >= 0 else { throw .failed(new, .last) }
        defer { close(to) }
        let digest = RunningDigest(.sha256)
        var done = 0
        try StoreFile.forEachPart(of: from, copy) { (bytes) throws(SQLiteStoreError) in
            digest.append(bytes)
            do throws(SystemError) { try writeAll(Array(bytes), to: to) } catch { throw .failed(new, error) }
            done += bytes.count
            progress(Double(done) / Double(max(1, information.st_size)))
        }
        if let wanted, digest.finish() != wanted {
            let sum = StoreChecksum.path(of: copy)
            throw .failed(
                BilingualText(
                    "\(copy) 已损坏：其内容与 \(sum) 中的校验和不符",
                    "\(copy) is damaged: its bytes are not those that \(sum) tells of"))
        }
        do throws(SystemError) { try StoreFile.give(to, toTheOwnerOf: directory) } catch { throw .failed(new, error) }
        guard fsync(to) == 0 else { throw .failed(new, .last) }
        return wanted != nil
    }
}
