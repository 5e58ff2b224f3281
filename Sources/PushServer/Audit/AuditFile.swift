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

    func write(_ lines: [UInt8]) throws(SystemError) { try writeAll(lines, to: descriptor.withLock { $0 }) }

    func reopen() throws(SystemError) {
        let new = try Self.open(path)
        let former = descriptor.withLock { descriptor in
            defer { descriptor = new }
            return descriptor
        }
        close(former)
    }

    private static func open(_ path: String) throws(SystemError) -> Int32 {
        let descriptor = Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError.last }
        return descriptor
    }
}
