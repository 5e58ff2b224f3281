import Libevent

/// Calls a server, one call after the other.
struct ServerClient: Sendable {
    let endpoint: Endpoint
    let credential: Credential

    /// Sends a call and returns what the server carried out.
    func send(_ call: Call) async throws(Failure) -> Reply {
        let response = try await exchange(call)
        return try Reply(status: response.status, body: response.body, from: endpoint)
    }
}
