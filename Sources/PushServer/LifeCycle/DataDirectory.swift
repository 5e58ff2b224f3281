internal import Base
internal import Crypto
internal import Glibc
internal import Push
internal import SQLiteStore

/// The data directory, held by this process alone from ``init(_:)`` to ``release()``. Its files beside the store's: `pspd.lock`,
/// `admin.token`, `pspd.json`. What else lies in it is left alone.
final class DataDirectory: Sendable {
    let path: String
    /// What others could read at the start, and cannot any more: a copy of the store that another program made, for one.
    let closedToOthers: [String]
    private let lock: Int32
    /// What this start has made, in the order in which it goes where the start fails.
    private let made: Locked<Made>

    private struct Made {
        var files: [String] = []
        /// The innermost first. They stay where anything else is in them.
        var directories: [String] = []

        func remove() {
            for file in files { unlink(file) }
            for directory in directories { rmdir(directory) }
        }
    }

    /// Makes the directory if it is missing (only its owner may look into it: the store holds secrets) and locks it.
    /// - Throws: `cannotWork` when it cannot be used or another `pspd` holds it; `unexpected` where the next try may do better.
    ///   Then nothing is left that this has made.
    init(_ path: String) throws(StartError) {
        var made = Made()
        do throws(FileError) {
            try Self.makeDirectories(path, &made)
            lock = try Self.lock("\(path)/pspd.lock", &made)
        } catch {
            made.remove()
            if error.code == EWOULDBLOCK {
                throw Self.isServed(path, by: Self.holder(of: error.path))
            }
            throw Self.startError(error)
        }
        self.path = path
        self.made = Locked(made)
        do {
            try Self.refuseReadOnly(path)
            closedToOthers = try Self.closeToOthers(path)
            try Self.refuseLostStore(path)
            try MovedStore.refuse(path)
            // A process that was killed leaves its file behind. The ports in it may be another program's by now.
            try File.remove("\(path)/\(Self.announcement)")
        } catch {
            made.remove()
            close(lock)
            throw Self.startError(error)
        }
    }

    /// Whether a server could serve the directory, or make it; nothing is made or locked, so one that is served passes.
    /// - Throws: `cannotWork`, or `unexpected` where the next try may do better.
    static func judge(_ path: String) throws(StartError) {
        do {
            var information = stat()
            guard stat(path, &information) == 0 else {
                guard errno == ENOENT else { throw FileError(path: path, code: errno) }
                let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
                if access(parent, W_OK | X_OK) != 0 {
                    // What is above it may be missing too, and is made with it.
                    if errno == ENOENT { return try judge(parent) }
                    throw FileError(path: parent, code: errno)
                }
                return
            }
            guard information.st_mode & S_IFMT == S_IFDIR else { throw FileError(path: path, code: ENOTDIR) }
            try refuseReadOnly(path)
            try refuseLostStore(path)
            try MovedStore.refuse(path)
        } catch {
            throw startError(error)
        }
    }

    /// A full disk and used-up descriptors pass, so that whoever watches over the server should start it again; what a mode, an
    /// owner or a mount forbids does not.
    private static func startError(_ error: any Error) -> StartError {
        switch error {
        case let error as StartError: error
        case let error as FileError:
            error.mayPass ? .unexpected(error.text.after("--data")) : .cannotWork(error.text.after("--data"))
        case let error as SQLiteStoreError: .cannotWork(error.text.after("--data"))
        default: .cannotWork(BilingualText("--data: \(error)", "--data: \(error)"))
        }
    }

    private static func isServed(_ path: String, by holder: String?) -> StartError {
        .cannotWork(
            BilingualText(
                "目录 \(path) 已由另一个 pspd 使用" + (holder.map { "（进程 \($0)）" } ?? ""),
                "another pspd serves \(path)" + (holder.map { " (process \($0))" } ?? "")
            ).after("--data"))
    }

    private static let announcement = "pspd.json"
    /// What `pspctl restore` writes before it puts a store aside.
    private static let cutShortRestore = "psp.db.new"
    /// What holds secrets, or may come to.
    private static let secretFiles = ["psp.db", "psp.db-wal", "psp.db-shm", "admin.token", "pspd.lock"]

    /// The directory is the owner's alone, whoever made it, and so is what holds secrets in it.
    private static func closeToOthers(_ path: String) throws(FileError) -> [String] {
        var closed: [String] = []
        for item in [path] + secretFiles.map({ "\(path)/\($0)" }) where try File.closeToOthers(item) { closed.append(item) }
        return closed
    }

    /// A server that could only read would take no push and lose what devices acknowledge.
    private static func refuseReadOnly(_ path: String) throws(StartError) {
        for item in [path] + ["psp.db", "psp.db-wal", "psp.db-shm"].map({ "\(path)/\($0)" }) {
            guard access(item, W_OK) != 0, [EACCES, EROFS, EPERM].contains(errno) else { continue }
            let cause = SystemError.last.text
            throw .cannotWork(
                BilingualText(
                    "\(item) 只能读取（\(cause.chinese)）；请允许运行 pspd 的用户写入，或换一个目录",
                    "\(item) may only be read (\(cause.english)); let the user that runs pspd write it, or name another "
                        + "directory"
                ).after("--data"))
        }
    }

    /// A directory in which a store has been, and is no more, is not served as an empty one: callers would be told that their
    /// tasks and devices do not exist. A token alone may be there, from a first start that was killed.
    private static func refuseLostStore(_ path: String) throws {
        guard try File.size("\(path)/psp.db") ?? 0 == 0 else { return }
        for trace in ["psp.db-wal", cutShortRestore, announcement] where try File.size("\(path)/\(trace)") != nil {
            throw StartError.cannotWork(lostStore(path, trace).after("--data"))
        }
    }

    private static func lostStore(_ path: String, _ trace: String) -> BilingualText {
        if trace == cutShortRestore {
            BilingualText(
                "\(path)/psp.db 不存在或为空，而旁边的 \(trace) 表明一次恢复被中断；请再次运行 pspctl restore，或放回它移开的 psp.db",
                "\(path)/psp.db is missing or empty, but \(trace) beside it shows that a restore was cut short; run "
                    + "pspctl restore again, or put back the psp.db that it had put aside")
        } else {
            BilingualText(
                "\(path)/psp.db 不存在或为空，而旁边的 \(trace) 表明这里曾有存储；请放回 psp.db（连同属于它的 psp.db-wal），"
                    + "或删除 \(trace) 以空的存储开始",
                "\(path)/psp.db is missing or empty, but \(trace) beside it shows that a store was here; put back psp.db (with "
                    + "the psp.db-wal that belongs to it), or remove \(trace) to begin with an empty store")
        }
    }

    /// Lets another process have the directory. Once.
    func release() {
        close(lock)
    }

    /// The same where the start has failed: what it has made goes, but for a store.
    func abandon() {
        made.withLock { $0.remove() }
        close(lock)
    }

    private static func makeDirectories(_ path: String, _ made: inout Made) throws(FileError) {
        var information = stat()
        if stat(path, &information) == 0 {
            guard information.st_mode & S_IFMT == S_IFDIR else { throw FileError(path: path, code: ENOTDIR) }
            return
        }
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex { try makeDirectories(String(path[..<slash]), &made) }
        if mkdir(path, 0o700) == 0 {
            made.directories.insert(path, at: 0)
        } else if errno != EEXIST {
            throw FileError(path: path, code: errno)
        }
        try File.syncDirectory(of: path)
    }

    /// - Throws: `EWOULDBLOCK` when another process has it.
    private static func lock(_ path: String, _ made: inout Made) throws(FileError) -> Int32 {
        let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW
        var descriptor = open(path, flags | O_CREAT | O_EXCL, 0o600)
        let isNew = descriptor >= 0
        if !isNew { descriptor = open(path, flags | O_CREAT, 0o600) }
        guard descriptor >= 0 else { throw FileError(path: path, code: errno) }
        var (information, named) = (stat(), stat())
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            throw FileError(path: path, code: code)
        }
        // A start that failed has removed it meanwhile: then nobody but this one holds what nobody else will find.
        guard fstat(descriptor, &information) == 0, lstat(path, &named) == 0, named.st_ino == information.st_ino else {
            close(descriptor)
            throw FileError(path: path, code: EWOULDBLOCK)
        }
        // Not before it is held: another process may have opened it, and hold it.
        if isNew { made.files.append(path) }
        let pid = Array("\(getpid())\n".utf8)
        // The pid is for whoever is refused because of this lock. On a full disk there is none, and the lock holds.
        if ftruncate(descriptor, 0) == 0 { _ = write(descriptor, pid, pid.count) }
        return descriptor
    }

    /// The process that has written the lock's file; `nil` where it cannot be read.
    private static func holder(of path: String) -> String? {
        do throws(FileError) {
            let digits = try File.read(path).prefix { (0x30...0x39).contains($0) }
            return digits.isEmpty ? nil : String(decoding: digits, as: UTF8.self)
        } catch {
            return nil
        }
    }

    // MARK: The operators' token

    /// The directory's own token, made at the first start.
    func adminToken() throws(StartError) -> String {
        let file = "\(path)/admin.token"
        let token: String
        do throws(FileError) {
            token = if let kept = try keptToken(file) { kept } else { try makeToken(file) }
        } catch {
            throw Self.startError(error)
        }
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .cannotWork(
                BilingualText("不是令牌；删除该文件后会生成新的", "not a token; delete the file and a new one is made").after(file))
        }
        return token
    }

    private func keptToken(_ file: String) throws(FileError) -> String? {
        try File.readIfPresent(file).map { String(decoding: $0.prefix { $0 != 0x0A }, as: UTF8.self) }
    }

    private func makeToken(_ file: String) throws(FileError) -> String {
        let token = Random.secret()
        try File.write(token + "\n", to: file, mode: 0o600)
        made.withLock { $0.files.append(file) }
        return token
    }

    // MARK: Where the server is

    /// Tells `pspctl` where the server is.
    func announce(_ addresses: ServerAddresses) throws(FileError) {
        try File.write(addresses.json(pid: getpid()), to: "\(path)/\(Self.announcement)", mode: 0o644)
    }

    /// Takes that back, before the server ends.
    func retract() throws(FileError) {
        try File.remove("\(path)/\(Self.announcement)")
    }
}
