import CLibevent
import Glibc

@testable import Libevent

/// A certificate and its key for tests alone, valid until 2126.
enum TestIdentity {
    static var context: TLSContext {
        get throws {
            let identity = TLSIdentity(certificates: Array(certificate.utf8), key: Array(key.utf8))
            return try TLSContext(identity, TLSPolicy(), for: .http, ticketKeys: TLSTicketKeys())
        }
    }

    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIKNYXE7Iq7BGS71vGQSURUt5FFmhUYJ5I0z36D1GbTI5
        -----END PRIVATE KEY-----
        """

    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBRTCB+KADAgECAhRyT0ys5FWZDDkPxj4rxrANhU6+2jAFBgMrZXAwDzENMAsG
        A1UEAwwEdGVzdDAgFw0yNjExMjgxODQ2MTBaGA8yMTI2MTEwNDE4NDYxMFowDzEN
        MAsGA1UEAwwEdGVzdDAqMAUGAytlcAMhAOf1n0XIF8t1gAeDDNMpn8a2KhDQJx+P
        w7ujSEp/uj2So2QwYjAdBgNVHQ4EFgQU0ABcausSwA5aIEZ/ZTr5ud7MQiAwHwYD
        VR0jBBgwFoAU0ABcausSwA5aIEZ/ZTr5ud7MQiAwDwYDVR0TAQH/BAUwAwEB/zAP
        BgNVHREECDAGggR0ZXN0MAUGAytlcANBAEaxmhzH8zZc8PSw7b7dUu5QyHfTiyiG
        ScIJZ2IOgKpEtGehdSnMdUjtdooyeCcL8uqJBXUrKoB/yAP7h/8ctwk=
        -----END CERTIFICATE-----
        """
}

/// The client's end of TLS over a socket, which it does not own. It does not look at the server's certificate.
final class TLSPeer {
    private let context: OpaquePointer
    private let session: OpaquePointer
    private let socket: RawSocket

    init(over socket: RawSocket) throws {
        self.socket = socket
        guard let context = SSL_CTX_new(TLS_client_method()), let session = SSL_new(context) else {
            throw LibeventError.library(call: "SSL_new")
        }
        (self.context, self.session) = (context, session)
        SSL_set_fd(session, socket.descriptor)
    }

    deinit {
        SSL_free(session)
        SSL_CTX_free(context)
    }

    /// Sends the first flight and does not wait for the answer.
    func sendHello() throws {
        socket.setNonblocking()
        let result = SSL_connect(session)
        let reason = SSL_get_error(session, result)
        ERR_clear_error()
        socket.setNonblocking(false)
        guard reason == SSL_ERROR_WANT_READ else { throw LibeventError.library(call: "SSL_connect") }
    }

    /// Does the handshake, or what is left of it.
    func connect() throws {
        guard SSL_connect(session) == 1 else { throw LibeventError.library(call: "SSL_connect: \(TLSFailure.takeReason())") }
    }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        guard SSL_write(session, bytes, Int32(bytes.count)) == Int32(bytes.count) else {
            throw LibeventError.library(call: "SSL_write")
        }
    }

    /// Takes new keys so often, and has the server take them too.
    func renewKeys(_ count: Int) throws {
        for _ in 0..<count {
            guard SSL_key_update(session, SSL_KEY_UPDATE_NOT_REQUESTED) == 1, SSL_do_handshake(session) == 1 else {
                throw LibeventError.library(call: "SSL_key_update: \(TLSFailure.takeReason())")
            }
        }
    }

    func sayGoodbye() {
        SSL_shutdown(session)
        ERR_clear_error()
    }

    /// So many bytes, or those before the end.
    func read(exactly count: Int) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while all.count < count, case let more = SSL_read(session, &buffer, Int32(min(buffer.count, count - all.count))), more > 0
        {
            all += buffer[..<Int(more)]
        }
        return all
    }

    /// Everything until the server closes.
    func readToEnd() -> String {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while case let count = SSL_read(session, &buffer, Int32(buffer.count)), count > 0 { all += buffer[..<Int(count)] }
        ERR_clear_error()
        return String(decoding: all, as: UTF8.self)
    }
}

/// An HTTP server with TLS.
func withSecureServer(_ body: @concurrent (Describer, SocketAddress) async throws -> Void) async throws {
    try await withLoop { loop in
        let server = Describer(on: loop)
        let result: Result<Void, any Error>
        do {
            let address = try await server.listen(by: TLSSource(TestIdentity.context))
            result = .success(try await body(server, address))
        } catch { result = .failure(error) }
        await server.stop()
        try result.get()
    }
}
