internal import Base
internal import Glibc
internal import Logging

/// Whoever started the process and wants to hear from it, as systemd does of units with `Type=notify`: sd_notify(3), by its own
/// words a protocol to be spoken without its library, which would bring five more into this process. A datagram holds lines such
/// as `READY=1`.
struct ServiceManager: Sendable {
    /// How long it waits for a sign of life before it kills the process; `nil`: it does not ask for any.
    let watchdog: Duration?
    let address: String

    /// `nil`: nobody wants to hear.
    /// - Parameter environment: `NOTIFY_SOCKET`: a path, or a name that begins with `@` and is none of a file; `WATCHDOG_USEC`,
    ///   and `WATCHDOG_PID`, which says whom it is meant for.
    init?(_ environment: [String: String], process: Int32 = getpid()) {
        guard let address = environment["NOTIFY_SOCKET"], let first = address.first, first == "/" || first == "@" else {
            return nil
        }
        self.address = address
        let isMeant = environment["WATCHDOG_PID"].map { $0 == "\(process)" } ?? true
        watchdog = isMeant ? environment["WATCHDOG_USEC"].flatMap(Int64.init).flatMap { $0 > 0 ? .microseconds($0) : nil } : nil
    }

    /// What it may be told.
    enum State {
        /// The server serves.
        case ready
        /// The server ends. That takes so long at most.
        case stopping(Duration)
        /// The server lives, with so many devices.
        case alive(devices: Int)

        fileprivate var lines: String {
            switch self {
            case .ready: "READY=1\nSTATUS=serving"
            case .stopping(let time): "STOPPING=1\nSTATUS=ending\nEXTEND_TIMEOUT_USEC=\(Int64(time / .microseconds(1)))"
            case .alive(let devices): "WATCHDOG=1\nSTATUS=\(devices) devices"
            }
        }
    }

    /// Never blocks.
    /// - Throws: why it is not told.
    func tell(_ state: State) throws(SystemError) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw .last }
        defer { close(descriptor) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(address.utf8)
        let room = MemoryLayout.size(ofValue: name.sun_path)
        guard bytes.count < room else { throw SystemError(code: ENAMETOOLONG) }
        withUnsafeMutableBytes(of: &name.sun_path) { path in
            path.copyBytes(from: bytes)
            // The kernel's mark of a name that is none of a file.
            if bytes[0] == UInt8(ascii: "@") { path[0] = 0 }
        }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size - room + bytes.count)
        let text = Array(state.lines.utf8)
        let sent = withUnsafeBytes(of: &name) { name in
            sendto(
                descriptor, text, text.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT),
                name.baseAddress?.assumingMemoryBound(to: sockaddr.self), length)
        }
        guard sent == text.count else { throw .last }
    }

    /// The same, and what goes wrong goes to the log: the server lives as well without.
    func report(_ state: State) {
        do throws(SystemError) {
            try tell(state)
        } catch {
            Logger(label: "pspd").error(
                "the service manager is not told", metadata: ["socket": "\(address)", "cause": "\(error)"])
        }
    }

    /// Tells that the server serves, and then that it lives, for as long as each of its loops answers: twice in the time after
    /// which the process would be killed. A writer that waits for a disk is no reason: a new process would wait for it, too.
    func follow(_ server: PushServer) {
        report(.ready)
        guard let watchdog else { return }
        Task.detached {
            while true {
                report(.alive(devices: await server.connectedDevices))
                // Nobody cancels this task, so the sleep does not throw.
                do { try await Task.sleep(for: watchdog / 2) } catch { return }
            }
        }
    }
}
