/// Why a command was not carried out. Ends the program with exit status 1.
enum Failure: Error, Equatable, CustomStringConvertible {
    /// There is no server's file where it should be.
    case noServer(directory: String)
    /// A file that is there and cannot be used.
    case file(path: String, reason: String)
    /// The server was not reached, or the connection broke.
    case unreachable(endpoint: Endpoint, reason: String)
    /// The server answered with a row of its catalogue.
    case refused(status: Int, code: Int, text: String, field: String?)
    /// What the files of a store did not allow.
    case store(String)
    /// What answers is no push server.
    case foreignReply(endpoint: Endpoint, status: Int)

    var description: String {
        switch self {
        case .noServer(let directory):
            "no server runs in \(directory): start pspd, or say where it is with --data DIR or --admin and --http"
        case .file(let path, let reason): "\(path): \(reason)"
        case .unreachable(let endpoint, let reason): "cannot reach the server at \(endpoint) (\(reason)); is pspd running?"
        case .refused(let status, let code, let text, let field):
            "refused with \(code) (HTTP \(status)): \(text)" + (field.map { " [\($0)]" } ?? "")
        case .store(let reason): reason
        case .foreignReply(let endpoint, let status): "\(endpoint) answers like no push server (HTTP \(status))"
        }
    }
}
