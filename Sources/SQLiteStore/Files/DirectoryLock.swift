internal import Base
internal import Glibc
internal import Push

/// Holds a data directory, so that no server starts in it meanwhile. It ends with its last reference.
final class DirectoryLock {
    private let file: Int32

    /// - Throws: also where a server has the directory.
    init(_ directory: String) throws(SQLiteStoreError) {
        let path = directory + "/pspd.lock"
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw .failed(path, .last) }
        do throws(SystemError) { try StoreFile.give(file, toTheOwnerOf: directory) } catch {
            close(file)
            throw .failed(path, error)
        }
        var (information, named) = (stat(), stat())
        // A server whose start failed may have removed the file meanwhile, and another one made its own.
        guard flock(file, LOCK_EX | LOCK_NB) == 0, fstat(file, &information) == 0, lstat(path, &named) == 0,
            named.st_ino == information.st_ino
        else {
            close(file)
            throw .failed(BilingualText("\(directory) 中有服务器在运行：请先停止", "a server runs in \(directory): end it first"))
        }
    }

    deinit { close(file) }
}
