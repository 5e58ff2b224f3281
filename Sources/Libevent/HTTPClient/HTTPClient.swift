internal import CLibevent
internal import Glibc

/// An answer that an `HTTPClient` got.
public struct HTTPResponse: Sendable {
    /// The status code.
    public var status: Int
    /// The headers, in the server's order and spelling.
    public var headers: [(name: String, value: String)]
    /// The body, whole.
    public var body: [UInt8]

    /// The first value of a header; names are compared without case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// A small HTTP client for command lines and tests, over evhttp: one server, one connection that is kept open, one request after
/// the other.
///
/// ```swift
/// let client = try await HTTPClient(host: "127.0.0.1", port: 8081, on: loop)
/// let answer = try await client.request(.get, "/healthz")
/// ```
public actor HTTPClient {
    private let loop: EventLoop
    private let host: String
    private let port: UInt16
    private let maxBodyBytes: Int
    private let security: TLSClientContext?
    private var connection: ClientConnection?

    /// The loop's executor.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Makes a client; it connects with its first request.
    ///
    /// - Parameters:
    ///   - host: an address or a name. Looking up a name blocks the loop, so that a server should use addresses.
    ///   - security: whom it trusts; nil: it speaks in clear.
    ///   - maxBodyBytes: a larger answer is `LibeventError.malformedResponse`.
    public init(
        host: String, port: UInt16, on loop: EventLoop, security: TLSClientContext? = nil, maxBodyBytes: Int = 64 * 1024 * 1024
    ) {
        self.security = security
        self.host = host
        self.port = port
        self.loop = loop
        self.maxBodyBytes = maxBodyBytes
    }

    /// Sends a request and waits for the whole answer, whatever its status.
    ///
    /// - Parameters:
    ///   - target: path and query, encoded by the caller.
    ///   - headers: Host and Content-Length are added.
    ///   - timeout: how long the connection may stand still; not a limit of the whole.
    /// - Throws: `disconnected`, `timedOut`, `malformedResponse`: whether the server has seen the request is unknown then; or
    ///   `distrusted`: the handshake has failed, and nothing of the request was sent.
    public func request(
        _ method: HTTPMethod, _ target: String, headers: [(String, String)] = [], body: [UInt8] = [],
        timeout: Duration = .seconds(30)
    ) async throws(LibeventError) -> HTTPResponse {
        let connection = try openConnection()
        connection.setTimeout(timeout)
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<HTTPResponse, LibeventError>, Never>) in
            connection.send(ClientRequest(method, target, headers, body), host: hostHeader) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    private func openConnection() throws(LibeventError) -> ClientConnection {
        if let connection { return connection }
        let made = try ClientConnection(host: host, port: port, maxBodyBytes: maxBodyBytes, security: security, on: loop)
        connection = made
        return made
    }

    private var hostHeader: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
