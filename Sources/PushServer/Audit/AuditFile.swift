internal import Base
internal import Glibc
internal import Push

/// A file to which lines of the audit log are added. One that is new is its owner's alone.
final class AuditFile: AuditOutput {
    private struct State: Sendable {
        var descriptor: Int32
        /// The last write has failed, and may have left a part of a line.
        var mayBeTorn = false
    }

    private let path: String
    private let state: Locked<State>
    /// Whether the file ended within a line, which was taken away: a write was cut short by a crash, or had no room.
    let wasTorn: Bool

    /// - Throws: where it cannot be opened.
    init(_ path: String) throws(StartError) {
        self.path = path
        do throws(SystemError) {
            let descriptor = try Self.open(path)
            state = Locked(State(descriptor: descriptor))
            wasTorn = try AuditFileEnd(descriptor).mend()
        } catch {
            throw .cannotWork(error.text.after("--audit-log: \(path)"))
        }
    }

    deinit { close(state.withLock { $0.descriptor }) }

    func write(_ lines: [UInt8]) throws(LostLines) {
        try state.withLock { state throws(LostLines) in
            var written = 0
            do throws(SystemError) {
                if state.mayBeTorn { _ = try AuditFileEnd(state.descriptor).mend() }
                state.mayBeTorn = true
                try writeAll(lines, to: state.descriptor, &written)
                state.mayBeTorn = false
            } catch {
                let lost = lines[written...].count { $0 == UInt8(ascii: "\n") }
                throw LostLines(count: lost, cause: error)
            }
        }
    }

    func reopen() throws(SystemError) {
        let new = try Self.open(path)
        let former = state.withLock { state in
            // The new one may be the former by another name.
            defer { state = State(descriptor: new, mayBeTorn: true) }
            return state.descriptor
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
            let parent = FileIdentity.parent(of: path)
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
        let flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        var information = stat()
        // How a file ends is read. A pipe that is opened for reading too has a reader.
        let isFile = stat(path, &information) != 0 || information.st_mode & S_IFMT == S_IFREG
        var descriptor: Int32 = isFile ? Glibc.open(path, O_RDWR | flags, 0o600) : -1
        if descriptor < 0, !isFile || errno == EACCES { descriptor = Glibc.open(path, O_WRONLY | flags, 0o600) }
        guard descriptor >= 0 else { throw SystemError.last }
        guard fcntl(descriptor, F_SETFL, O_APPEND) == 0 else {
            let error = SystemError.last
            close(descriptor)
            throw error
        }
        return descriptor
    }
}
