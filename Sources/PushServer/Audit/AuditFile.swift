internal import Base
internal import Glibc
internal import Push

/// A file to which lines of the audit log are added. One that is new is its owner's alone.
final class AuditFile: AuditOutput {
    private let path: String
    private let descriptor: Locked<Int32>

    /// - Throws: where it cannot be opened.
    init(_ path: String) throws(StartError) {
        self.path = path
        do throws(SystemError) {
            descriptor = Locked(try Self.open(path))
        } catch {
            throw .cannotWork(error.text.after("--audit-log: \(path)"))
        }
    }

    deinit { close(descriptor.withLock { $0 }) }

    func write(_ lines: [UInt8]) throws(LostLines) {
        do throws(SystemError) {
            try writeAll(lines, to: descriptor.withLock { $0 })
        } catch {
            throw LostLines(count: lines.count { $0 == UInt8(ascii: "\n") }, cause: error)
        }
    }

    func reopen() throws(SystemError) {
        let new = try Self.open(path)
        let former = descriptor.withLock { descriptor in
            defer { descriptor = new }
            return descriptor
        }
        close(former)
    }

    /// Looks whether it could be opened, and leaves no file behind.
    static func judge(_ path: String) throws(StartError) {
        do throws(SystemError) {
            var information = stat()
            if stat(path, &information) == 0 {
                close(try open(path))
                return
            }
            guard errno == ENOENT else { throw SystemError.last }
            let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
            guard stat(parent, &information) == 0 else { throw SystemError.last }
            guard information.st_mode & S_IFMT == S_IFDIR else { throw SystemError(code: ENOTDIR) }
            guard access(parent, W_OK | X_OK) == 0 else { throw SystemError.last }
        } catch {
            throw .cannotWork(error.text.after("--audit-log: \(path)"))
        }
    }

    /// A pipe that nobody reads is refused at once (ENXIO) and holds up nothing; one that is read, as the standard output may be,
    /// is written like a file.
    private static func open(_ path: String) throws(SystemError) -> Int32 {
        let descriptor = Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0o600)
        guard descriptor >= 0 else { throw SystemError.last }
        guard fcntl(descriptor, F_SETFL, O_APPEND) == 0 else {
            let error = SystemError.last
            close(descriptor)
            throw error
        }
        return descriptor
    }
}
