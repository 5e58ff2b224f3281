import Foundation

/// Where PostgreSQL's programs are, and as whom they run.
enum PostgresInstallation {
    /// `PSP_POSTGRES_BIN`, or the newest of Debian's.
    static func directory() throws -> String {
        if let given = ProcessInfo.processInfo.environment["PSP_POSTGRES_BIN"] { return given }
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let newest = versions.compactMap(Int.init).sorted().last { version in
            FileManager.default.isExecutableFile(atPath: "\(root)/\(version)/bin/initdb")
        }
        guard let newest else { throw Failure(description: "no PostgreSQL in \(root): make deps") }
        return "\(root)/\(newest)/bin"
    }

    /// What a command begins with: PostgreSQL refuses to run as root.
    static var asItsUser: [String] {
        geteuid() == 0 ? ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"] : []
    }
}

/// What a test's server could not do.
public struct Failure: Error, CustomStringConvertible {
    /// One line.
    public let description: String

    /// A failure in these words.
    public init(description: String) { self.description = description }
}
