internal import Base
internal import Glibc
internal import Push

/// Why the system refused a file.
struct FileError: Error, Hashable, CustomStringConvertible {
    let path: String
    /// `errno` of the call that failed, or ``notRegular``.
    let code: Int32
    /// A pipe, a device: to read it may wait for ever, and it cannot be read a second time.
    static let notRegular: Int32 = -1

    /// Whether the same call may do better at another time.
    var mayPass: Bool { [ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM, EIO, EINTR, EAGAIN, EBUSY].contains(code) }

    var text: BilingualText {
        let reason =
            code == Self.notRegular
            ? BilingualText("不是普通文件（管道、设备等不能使用）", "is no regular file: a pipe or a device cannot be used")
            : SystemError(code: code).text
        return reason.after(path)
    }
    /// The same for a log.
    var description: String { text.english }
}

/// Small whole files: settings, the token, the addresses.
enum File {
    /// Every file that is read here is smaller. A larger one is not what it should be.
    private static let largest = 1 << 20

    /// - Throws: at once for what is no regular file, such as a pipe that nobody writes.
    static func read(_ path: String) throws(FileError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileError(path: path, code: errno) }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw FileError(path: path, code: errno) }
        switch information.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw FileError(path: path, code: EISDIR)
        default: throw FileError(path: path, code: FileError.notRegular)
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw FileError(path: path, code: errno)
            }
            bytes += chunk[..<count]
            guard bytes.count <= largest else { throw FileError(path: path, code: EFBIG) }
        }
    }

    /// `nil` where there is no such file.
    static func readIfPresent(_ path: String) throws(FileError) -> [UInt8]? {
        do throws(FileError) {
            return try read(path)
        } catch {
            if error.code == ENOENT { return nil }
            throw error
        }
    }

    /// No error where there is no such file.
    static func remove(_ path: String) throws(FileError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw FileError(path: path, code: errno) }
    }

    /// How many bytes it holds; `nil` where there is no such file.
    static func size(_ path: String) throws(FileError) -> Int? {
        var information = stat()
        if stat(path, &information) == 0 { return Int(information.st_size) }
        if errno == ENOENT { return nil }
        throw FileError(path: path, code: errno)
    }

    /// Writes the whole file or nothing, and returns when it is on disk: it writes another file beside it, syncs that, and
    /// renames it.
    static func write(_ text: String, to path: String, mode: mode_t) throws(FileError) {
        let beside = path + ".new"
        let descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw FileError(path: beside, code: errno) }
        do {
            defer { close(descriptor) }
            guard fchmod(descriptor, mode) == 0 else { throw FileError(path: beside, code: errno) }
            try write(Array(text.utf8), to: descriptor, path: beside)
            guard fsync(descriptor) == 0 else { throw FileError(path: beside, code: errno) }
        }
        guard rename(beside, path) == 0 else { throw FileError(path: path, code: errno) }
        try syncDirectory(of: path)
    }

    /// Syncs the directory that holds `path`: only then a name that was made or changed outlasts a power failure.
    static func syncDirectory(of path: String) throws(FileError) {
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path: directory, code: errno) }
        defer { close(descriptor) }
        // Some file systems cannot sync directories, and say so. Nothing more can be done there.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw FileError(path: directory, code: errno) }
    }

    /// Takes all permissions on a file or a directory from everybody but its owner. No error where there is none.
    /// - Returns: whether anything was taken.
    static func closeToOthers(_ path: String) throws(FileError) -> Bool {
        var information = stat()
        guard stat(path, &information) == 0 else {
            if errno == ENOENT { return false }
            throw FileError(path: path, code: errno)
        }
        guard information.st_mode & 0o077 != 0 else { return false }
        guard chmod(path, information.st_mode & 0o7700) == 0 else { throw FileError(path: path, code: errno) }
        return true
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(FileError) {
        do throws(SystemError) {
            try writeAll(bytes, to: descriptor)
        } catch {
            throw FileError(path: path, code: error.code)
        }
    }
}
