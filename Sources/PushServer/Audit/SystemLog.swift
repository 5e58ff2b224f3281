internal import Base
internal import Glibc

/// The system's log, by datagrams to its socket, as `syslog(3)` sends them. That one is not used since it tells nobody when a
/// line is lost.
final class SystemLog: AuditOutput {
    /// LOG_AUTHPRIV: not for everybody's eyes; LOG_NOTICE.
    private static let priority = 10 << 3 | 5
    static let usualPath = "/dev/log"

    private let path: String
    private let connection = Locked<Int32?>(nil)

    /// Nothing is opened before there is a line: the system's log may begin later than this server.
    init(_ path: String = SystemLog.usualPath) { self.path = path }

    deinit { if let open = connection.withLock({ $0 }) { close(open) } }

    func write(_ lines: [UInt8]) throws(LostLines) {
        var lost: LostLines?
        for line in lines.split(separator: UInt8(ascii: "\n")) {
            do throws(SystemError) {
                try send(Self.header + line)
            } catch {
                lost = LostLines(count: (lost?.count ?? 0) + 1, cause: error)
            }
        }
        if let lost { throw lost }
    }

    /// The next line connects anew.
    func reopen() throws(SystemError) { disconnect() }

    /// `<85>Nov 28 22:05:11 pspd[123]: `, in local time.
    private static var header: [UInt8] {
        var (now, moment) = (time(nil), tm())
        localtime_r(&now, &moment)
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%b %e %H:%M:%S", &moment)
        let stamp = String(decoding: text.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return Array("<\(priority)>\(stamp) pspd[\(getpid())]: ".utf8)
    }

    /// A log that was started anew has another socket under the same name.
    private func send(_ datagram: [UInt8]) throws(SystemError) {
        do throws(SystemError) {
            try sendOnce(datagram)
        } catch {
            disconnect()
            try sendOnce(datagram)
        }
    }

    private func sendOnce(_ datagram: [UInt8]) throws(SystemError) {
        let open = try connected()
        while Glibc.send(open, datagram, datagram.count, Int32(MSG_NOSIGNAL)) < 0 {
            guard errno == EINTR else { throw SystemError.last }
        }
    }

    private func connected() throws(SystemError) -> Int32 {
        if let open = connection.withLock({ $0 }) { return open }
        let made = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { throw SystemError.last }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let size = MemoryLayout.size(ofValue: address.sun_path)
        let bytes = Array(path.utf8.prefix(size - 1))
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let result = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(made, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let error = SystemError.last
            close(made)
            throw error
        }
        connection.withLock { $0 = made }
        return made
    }

    private func disconnect() {
        let former = connection.withLock { open in
            defer { open = nil }
            return open
        }
        if let former { close(former) }
    }
}
