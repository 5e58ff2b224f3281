internal import CLibevent
internal import Glibc

/// A socket that a proxy has opened, and that belongs to nobody before the proxy has said whose connection it is. Nothing behind
/// the header is read.
final class ProxyEntry {
    /// -1 when it has been taken.
    private var descriptor: Int32
    private var header = ProxyHeader()
    private var readable: LoopEvent?
    private let onEnd: (Result<ProxyHeader.Source, Failure>) -> Void

    enum Failure: Error {
        case endOfStream
        case system(Int32)
        case header(ProxyHeaderFault)
    }

    /// - Parameters:
    ///   - descriptor: is closed with the entry, unless it is taken.
    ///   - onEnd: called once, on the loop. It may let the entry go.
    init(
        _ descriptor: Int32, on loop: EventLoop, onEnd: @escaping (Result<ProxyHeader.Source, Failure>) -> Void
    ) throws(LibeventError) {
        self.descriptor = descriptor
        self.onEnd = onEnd
        readable = try LoopEvent(on: loop, .readable(descriptor), repeats: true) { [unowned self] _ in read() }
        readable?.add()
    }

    deinit {
        // The event first: libevent must not know a descriptor that is closed.
        readable = nil
        if descriptor >= 0 { close(descriptor) }
    }

    /// Whether something waits in the socket.
    var hasUnreadInput: Bool { ps_is_readable(descriptor) != 0 }

    /// Gives the socket away.
    func takeDescriptor() -> Int32 {
        readable = nil
        defer { descriptor = -1 }
        return descriptor
    }

    private func read() {
        do throws(Failure) {
            if let source = try readHeader() { end(.success(source)) }
        } catch {
            end(.failure(error))
        }
    }

    private func end(_ result: Result<ProxyHeader.Source, Failure>) {
        readable?.remove()
        onEnd(result)
    }

    /// Takes from the socket what is the header's, and looks only at what follows.
    /// - Returns: nil while it has not all come.
    private func readHeader() throws(Failure) -> ProxyHeader.Source? {
        var piece = [UInt8](repeating: 0, count: 512)
        while true {
            let count = recv(descriptor, &piece, piece.count, Int32(MSG_PEEK | MSG_DONTWAIT))
            if count == 0 { throw .endOfStream }
            guard count > 0 else {
                if errno == EAGAIN || errno == EINTR { return nil }
                throw .system(errno)
            }
            let used: Int
            do throws(ProxyHeaderFault) {
                used = try take(piece[..<count])
            } catch {
                throw .header(error)
            }
            guard recv(descriptor, &piece, used, Int32(MSG_DONTWAIT)) == used else { throw .system(EIO) }
            if let source = header.source { return source }
        }
    }

    private func take(_ bytes: ArraySlice<UInt8>) throws(ProxyHeaderFault) -> Int {
        var result: Result<Int, ProxyHeaderFault> = .success(0)
        bytes.withUnsafeBytes { bytes in
            result = Result { () throws(ProxyHeaderFault) in try header.take(bytes) }
        }
        return try result.get()
    }
}
