internal import Base
internal import Glibc

/// What an attempt to connect needs and what may block: the hosts' addresses and the password, both as they are now.
struct Preparation: Sendable {
    let endpoints: [Endpoint]
    let password: String?

    /// Blocks.
    init(_ options: PostgresOptions) throws(PostgresLoss) {
        if let path = options.passwordFile { password = try Self.password(in: path) } else { password = nil }
        var endpoints: [Endpoint] = []
        var failure: Endpoint.Unresolved?
        for host in options.address.hosts {
            do throws(Endpoint.Unresolved) {
                endpoints += try Endpoint.resolve(host)
            } catch {
                failure = error
            }
        }
        // One that resolves is enough to go on.
        if endpoints.isEmpty, let failure { throw .unresolved(failure.description) }
        self.endpoints = endpoints
    }

    /// The first line of a file.
    private static func password(in path: String) throws(PostgresLoss) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .password("\(path): \(SystemError.last)") }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(file, &bytes, bytes.count)
        guard count >= 0 else { throw .password("\(path): \(SystemError.last)") }
        let line = bytes[..<count].prefix { $0 != 0x0A && $0 != 0x0D }
        guard !line.isEmpty else { throw .password("\(path) is empty") }
        return String(decoding: line, as: UTF8.self)
    }
}
