internal import Base

/// Where a store is, as `--store` names it.
public enum StoreAddress: Hashable, Sendable, CustomStringConvertible {
    /// The embedded store, in a directory of this machine's that no other process uses.
    case sqlite(directory: String)
    /// One that several nodes share, by libpq's URI: `postgres://psp@db1,db2/psp?target_session_attrs=read-write`. No password
    /// is in it.
    case postgres(uri: String)

    /// As `--store` takes it.
    public var description: String {
        switch self {
        case .sqlite(let directory): "sqlite:\(directory)"
        case .postgres(let uri): uri
        }
    }

    /// The directory of a store that is in one.
    var directory: String? { if case .sqlite(let directory) = self { directory } else { nil } }

    /// Whether other nodes have the same store.
    var isShared: Bool { directory == nil }
}

extension StoreAddress {
    /// Why a text names no store.
    enum Fault: Error {
        case unknown
        /// Whoever lists the machine's processes or reads a unit's environment would read it: it has a file of its own.
        case password
    }

    private static let directoryScheme = "sqlite:"
    private static let sharedSchemes = ["postgres://", "postgresql://"]
    /// Parameters of libpq that are secrets.
    private static let secretParameters: Set<String> = ["password", "sslpassword"]

    /// Everything else of a URI is judged by libpq.
    init(parsing text: String) throws(Fault) {
        if text.hasPrefix(Self.directoryScheme) {
            let directory = String(text.dropFirst(Self.directoryScheme.count))
            // `sqlite://a/b` is meant as a URI and would be a directory at the root.
            guard !directory.isEmpty, !directory.hasPrefix("//"), !directory.utf8.contains(0) else { throw .unknown }
            self = .sqlite(directory: directory)
            return
        }
        guard let scheme = Self.sharedSchemes.first(where: { text.hasPrefix($0) }),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw .unknown }
        guard !Self.hasPassword(text.dropFirst(scheme.count)) else { throw .password }
        self = .postgres(uri: text)
    }

    /// - Parameter rest: what stands behind the scheme.
    private static func hasPassword(_ rest: Substring) -> Bool {
        if let end = rest.firstIndex(where: { $0 == "@" || $0 == "/" }), rest[end] == "@", rest[..<end].contains(":") {
            return true
        }
        guard let query = rest.firstIndex(of: "?") else { return false }
        return rest[rest.index(after: query)...].split(separator: "&").contains { parameter in
            // A broken escape is no name that libpq takes.
            PercentEncoding.decode(parameter.prefix { $0 != "=" }).map(secretParameters.contains) ?? false
        }
    }
}
