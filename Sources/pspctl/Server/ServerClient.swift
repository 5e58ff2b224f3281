import Dispatch
import Libevent
import Push

/// Calls a server, one call after the other, on one connection. Its loop's thread ends with the program.
struct ServerClient: Sendable {
    let endpoint: Endpoint
    private let credential: Credential
    private let http: HTTPClient
    private let security: TLSClientContext?
    private let readiness: Readiness

    /// Where the server tells why it takes no changes: its admin listener, which need not be known.
    private struct Readiness {
        let http: HTTPClient?
        let directory: String?
    }

    /// Connects with the first call.
    /// - Parameters:
    ///   - admin: the server's admin listener, where it is known.
    ///   - directory: the server's data directory, where it is this machine's.
    ///   - authorities: the file of those that may have signed the server's certificate; `nil`: those of the system.
    init(
        endpoint: Endpoint, credential: Credential, admin: Endpoint?, directory: String?, authorities: String? = nil
    ) throws(Failure) {
        let isSecure = endpoint.isSecure || admin?.isSecure == true
        let security = isSecure ? try Self.security(authorities) : nil
        let loop: EventLoop
        do {
            loop = try EventLoop(name: "pspctl")
        } catch {
            throw .unreachable(endpoint: endpoint, reason: "\(error)")
        }
        loop.start()
        self.endpoint = endpoint
        self.credential = credential
        self.security = endpoint.isSecure ? security : nil
        func client(_ endpoint: Endpoint) -> HTTPClient {
            HTTPClient(host: endpoint.host, port: endpoint.port, on: loop, security: endpoint.isSecure ? security : nil)
        }
        http = client(endpoint)
        readiness = Readiness(http: admin.map(client), directory: directory)
    }

    private static func security(_ authorities: String?) throws(Failure) -> TLSClientContext {
        let trust = if let authorities { TLSTrust.authorities(try DataDirectory.read(authorities)) } else { TLSTrust.system }
        do throws(TLSError) {
            return try TLSClientContext(trusting: trust, for: .http)
        } catch {
            throw .file(path: authorities ?? "OpenSSL", reason: "\(error)")
        }
    }

    private func failure(_ error: LibeventError) -> Failure {
        if case .distrusted(let reason) = error { return .distrusted(endpoint: endpoint, reason: reason) }
        return .unreachable(endpoint: endpoint, reason: error.words)
    }

    /// Sends a call and returns what the server carried out.
    func send(_ call: Call) async throws(Failure) -> Reply {
        let headers = credential.headers(for: call, now: Instant.now.milliseconds).map { ($0.name, $0.value) }
        let response: HTTPResponse
        do {
            // A change may be long: an import is answered when all of it is done, and the connection stands still so long.
            response = try await http.request(
                call.method.http, call.target, headers: headers + [("Accept-Language", Speech.acceptLanguage)], body: call.body,
                timeout: call.method == .get ? .seconds(30) : .seconds(120))
        } catch {
            throw failure(error)
        }
        do throws(Failure) {
            return try Reply(status: response.status, body: response.body, from: endpoint)
        } catch {
            guard case .refused(let status, let code, let text, let field) = error else { throw error }
            // The server knows it no more: whoever typed the command gave no token that could be wrong.
            if case .session(let session) = credential, code == ErrorCode.wrongToken.rawValue, field == "Authorization" {
                throw .sessionEnded(name: session.name)
            }
            if case .app(let app, _) = credential, code == ErrorCode.wrongToken.rawValue { throw .wrongSecret(app: app) }
            let named = Output.printable(code == ErrorCode.missingField.rawValue ? Flags.named(text, own: call.flags) : text)
            let hindrance: String? =
                switch ErrorCode(rawValue: code) {
                case .unavailable: await hindrance()
                case .noSuchAddress where call.target.hasPrefix("/psp/admin"):
                    say(
                        "is \(endpoint) the callers' listener? --admin names the operators' (pspd --admin)",
                        "\(endpoint) 是调用方的监听地址吗？--admin 应为运维监听地址（pspd --admin）")
                default: nil
                }
            throw .refused(
                status: status, code: code, text: hindrance.map { say("\(named): \($0)", "\(named)：\($0)") } ?? named,
                field: field.map { Output.printable(Flags.name(of: $0, own: call.flags)) })
        }
    }

    /// What stands at an address that is open to everybody.
    func text(_ target: String) async throws(Failure) -> String {
        let response: HTTPResponse
        do {
            response = try await http.request(.get, target, headers: [], body: [], timeout: .seconds(30))
        } catch {
            throw failure(error)
        }
        guard response.status == 200 else { throw .unreachable(endpoint: endpoint, reason: "HTTP \(response.status)") }
        return String(decoding: response.body, as: UTF8.self)
    }

    /// What answers, whoever it is and whatever it says; without what proves who is calling.
    func ask(
        _ method: Call.Method, _ target: String, headers: [(String, String)] = [], body: [UInt8] = []
    ) async throws(Failure) -> HTTPResponse {
        do {
            return try await http.request(method.http, target, headers: headers, body: body, timeout: .seconds(10))
        } catch {
            throw failure(error)
        }
    }

    /// Reads an event stream until it ends. A thread of its own waits for it: those that carry on what is asynchronous are as
    /// few as the processors.
    /// - Parameters:
    ///   - end: ends it before.
    ///   - tell: called on that thread with the data of each event.
    func follow(_ call: Call, until end: StreamEnd, _ tell: @escaping @Sendable (String) -> Void) async throws(Failure) {
        let headers = credential.headers(for: call, now: Instant.now.milliseconds)
        let reader = EventReader(endpoint: endpoint, security: security)
        let outcome = await withCheckedContinuation { (waiting: CheckedContinuation<Result<Void, Failure>, Never>) in
            DispatchQueue.global().async {
                let outcome: Result<Void, Failure>
                do throws(Failure) {
                    outcome = .success(try reader.read(call.target, headers: headers, until: end, tell))
                } catch {
                    outcome = .failure(error)
                }
                waiting.resume(returning: outcome)
            }
        }
        try outcome.get()
    }

    /// Why the server takes no changes, in words; `nil` where it does not tell.
    private func hindrance() async -> String? {
        let answer = try? await readiness.http?.request(
            .get, "/readyz", headers: [("Accept-Language", Speech.acceptLanguage)], body: [], timeout: .seconds(2))
        return answer.flatMap { Hindrance(answer: $0.body) }?.words(directory: readiness.directory)
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
