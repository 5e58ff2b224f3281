import Foundation

/// Which admin listener a command calls, and on whose behalf.
///
/// Where somebody has logged in, commands run with that session, or not at all: falling back to the installation's token would
/// give them more rights than whoever typed them asked for.
struct AdminAccess {
    /// Where the token comes from.
    enum Token: Equatable {
        /// `--admin-token` or `PSP_ADMIN_TOKEN`, or from the file that `--admin-token-file` or `PSP_ADMIN_TOKEN_FILE` names.
        case given(String)
        /// `pspctl login`
        case session(LoginSession)
        /// The installation's, in a file of the data directory.
        case installation(String, file: String)
    }

    let endpoint: Endpoint
    let token: Token

    /// - Throws: `loggedInElsewhere` where there is a session of another server than the one that is named; `sessionEnded`.
    init(_ options: ServerOptions, environment: [String: String], now: Int64) throws(Failure) {
        let directory = DataDirectory(option: options.data, environment: environment)
        let session = try LoginSession.kept(environment: environment)
        if let given = try Self.given(options, environment) {
            endpoint = try Self.endpoint(forGivenToken: options, directory, session)
            token = .given(given)
        } else if let session {
            endpoint = try Self.endpoint(options, directory, session, environment)
            guard endpoint.isSame(as: session.endpoint) else {
                throw .loggedInElsewhere(name: session.name, at: session.endpoint, called: endpoint)
            }
            guard now < session.expiresAt else { throw .sessionEnded(name: session.name) }
            token = .session(session)
        } else {
            endpoint = try Self.endpoint(options, directory, nil)
            token = .installation(try directory.adminToken(), file: directory.tokenFile)
        }
    }

    /// The token that is given by itself, in this order: by a flag, by the environment; the token before a file.
    private static func given(_ options: ServerOptions, _ environment: [String: String]) throws(Failure) -> String? {
        if let token = options.adminToken { return token }
        if let file = options.adminTokenFile { return try DataDirectory.token(in: file) }
        if let token = environment["PSP_ADMIN_TOKEN"] { return token }
        return try environment["PSP_ADMIN_TOKEN_FILE"].map { file throws(Failure) in try DataDirectory.token(in: file) }
    }

    /// The listener that is named, else that of the session, else that of the data directory. A data directory that is given by
    /// `--data` names a listener too, and so does `PSP_DATA` where a server has been.
    static func endpoint(
        _ options: ServerOptions, _ directory: DataDirectory, _ session: LoginSession?, _ environment: [String: String] = [:]
    ) throws(Failure) -> Endpoint {
        if let admin = options.admin { return admin }
        if options.data == nil, let session {
            guard environment["PSP_DATA"] != nil, let named = try? directory.endpoint("admin") else { return session.endpoint }
            return named.isSame(as: session.endpoint) ? session.endpoint : named
        }
        return try directory.endpoint("admin")
    }

    /// A token that is given by itself belongs to this machine's server rather than to that of a session.
    private static func endpoint(
        forGivenToken options: ServerOptions, _ directory: DataDirectory, _ session: LoginSession?
    ) throws(Failure) -> Endpoint {
        do throws(Failure) {
            return try endpoint(options, directory, nil)
        } catch {
            guard case .noServer = error, options.data == nil, let session else { throw error }
            return session.endpoint
        }
    }

    var credential: Credential {
        switch token {
        case .given(let token), .installation(let token, _): .operatorToken(token)
        case .session(let session): .session(session)
        }
    }
}

extension Endpoint {
    /// Whether both name one listener: this machine has several names for itself.
    func isSame(as other: Endpoint) -> Bool {
        func canonical(_ host: String) -> String {
            ["localhost", "::1"].contains(host.lowercased()) ? "127.0.0.1" : host.lowercased()
        }
        return port == other.port && isSecure == other.isSecure && canonical(host) == canonical(other.host)
    }
}
