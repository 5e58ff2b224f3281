import Base
import Glibc
import PostgresCluster

/// What stands between a connection and its server, and can stop to pass on what either says, without closing anything: as a
/// network that is cut.
final class CutProxy: Sendable {
    private struct State: Sendable {
        var isCut = false
        var hasEnded = false
        var threads: [pthread_t] = []
    }

    let port: UInt16
    private let target: UInt16
    private let listener: Int32
    private let state = Locked(State())

    init(to target: UInt16) throws {
        self.target = target
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 16) == 0 ? getsockname(listener, address, &length) : -1
            }
        }
        guard result == 0 else { throw Failure(description: "no proxy: errno \(errno)") }
        port = UInt16(bigEndian: address.sin_port)
        run { $0.accept() }
    }

    /// Nothing more is passed on, in either direction.
    func cut() { state.withLock { $0.isCut = true } }

    /// It is, again.
    func mend() { state.withLock { $0.isCut = false } }

    /// Closes everything and returns when it has.
    func end() {
        let threads = state.withLock { state in
            state.hasEnded = true
            return state.threads
        }
        for thread in threads { pthread_join(thread, nil) }
        for thread in state.withLock({ $0.threads }).dropFirst(threads.count) { pthread_join(thread, nil) }
        close(listener)
    }

    private var hasEnded: Bool { state.withLock { $0.hasEnded } }
    private var isCut: Bool { state.withLock { $0.isCut } }

    private func accept() {
        while !hasEnded {
            guard wait([listener], for: POLLIN)[0] else { continue }
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { continue }
            run { $0.relay(client) }
        }
    }

    private func relay(_ client: Int32) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer {
            close(client)
            close(server)
        }
        var address = Self.loopback(target)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { return }
        while !hasEnded {
            let ready = wait([client, server], for: POLLIN)
            if isCut {
                usleep(1000)
                continue
            }
            if ready[0], !pass(from: client, to: server) { return }
            if ready[1], !pass(from: server, to: client) { return }
        }
    }

    private func pass(from source: Int32, to sink: Int32) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(source, &bytes, bytes.count, 0)
        guard count > 0 else { return false }
        var sent = 0
        while sent < count, !hasEnded {
            guard wait([sink], for: POLLOUT)[0] else { continue }
            let more = bytes.withUnsafeBytes {
                Glibc.send(sink, $0.baseAddress.map { $0 + sent }, count - sent, Int32(MSG_NOSIGNAL))
            }
            guard more > 0 else { return false }
            sent += more
        }
        return true
    }

    /// Which of them are ready, at most a moment later.
    private func wait(_ descriptors: [Int32], for events: Int32) -> [Bool] {
        var polled = descriptors.map { pollfd(fd: $0, events: Int16(events), revents: 0) }
        poll(&polled, nfds_t(polled.count), 10)
        return polled.map { $0.revents != 0 }
    }

    private func run(_ body: @escaping @Sendable (CutProxy) -> Void) {
        let context = Unmanaged.passRetained(Work(proxy: self, body: body)).toOpaque()
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let work = Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
                work.body(work.proxy)
                return nil
            }, context)
        precondition(result == 0, "pthread_create: \(result)")
        state.withLock { $0.threads.append(thread) }
    }

    private final class Work: Sendable {
        let proxy: CutProxy
        let body: @Sendable (CutProxy) -> Void

        init(proxy: CutProxy, body: @escaping @Sendable (CutProxy) -> Void) {
            self.proxy = proxy
            self.body = body
        }
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return address
    }
}
