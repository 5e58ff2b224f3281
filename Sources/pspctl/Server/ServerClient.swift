import Libevent

/// Calls a server, one call after the other, on one connection. Its loop's thread ends with the program.
struct ServerClient: Sendable {
    let endpoint: Endpoint
    private let credential: Credential
    private let http: HTTPClient

    /// Connects with the first call.
    init(endpoint: Endpoint, credential: Credential) throws(Failure) {
        let loop: EventLoop
        do {
            loop = try EventLoop(name: "pspctl")
        } catch {
            throw .unreachable(endpoint: endpoint, reason: "\(error)")
        }
        loop.start()
        self.endpoint = endpoint
        self.credential = credential
        http = HTTPClient(host: endpoint.host, port: endpoint.port, on: loop)
    }

    /// Sends a call and returns what the server carried out.
    func send(_ call: Call) async throws(Failure) -> Reply {
        let headers = credential.headers(now: Instant.now.milliseconds).map { ($0.name, $0.value) }
        let response: HTTPResponse
        do {
            // A long import is answered when all of it is done; the connection stands still so long.
            response = try await http.request(
                call.method.http, call.target, headers: headers + [("Accept-Language", Speech.acceptLanguage)], body: call.body,
                timeout: .seconds(120))
        } catch {
            throw .unreachable(endpoint: endpoint, reason: "\(error)")
        }
        do throws(Failure) {
            return try Reply(status: response.status, body: response.body, from: endpoint)
        } catch {
            guard case .refused(let status, let code, let text, let field) = error else { throw error }
            throw .refused(
                status: status, code: code, text: Output.printable(code == 2102 ? Flags.named(text, own: call.flags) : text),
                field: field.map { Output.printable(Flags.name(of: $0, own: call.flags)) })
        }
    }
}

extension Call.Method {
    fileprivate var http: HTTPMethod {
        switch self {
        case .get: .get
        case .put: .put
        case .post: .post
        case .delete: .delete
        }
    }
}
