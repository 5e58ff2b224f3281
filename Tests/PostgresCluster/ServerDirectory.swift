import Base
import Foundation

/// The directory of all servers of this process, with the template that they are copied from. It goes with the process, however
/// that ends: a guard reads a pipe whose other end the process holds, and tidies up when there is nobody any more.
actor ServerDirectory {
    static let shared = ServerDirectory()

    private let guardian = Process()
    private let pipe = Pipe()
    private var opening: Task<String, any Error>?
    private var count = 0

    private static let guardScript = """
        umask 077
        directory=$(mktemp -d /tmp/psp-postgres-XXXXXX) && echo "$directory" || exit
        read -r _
        for file in "$directory"/*/postmaster.pid; do
            [ -e "$file" ] || continue
            pid=$(head -n 1 "$file")
            kill -QUIT "$pid" && kill -CONT "$pid" && timeout 10 tail --pid "$pid" -f /dev/null
        done 2>/dev/null
        rm -rf "$directory"
        """

    /// A copy of a fresh cluster.
    /// - Returns: its path.
    func makeCluster() async throws -> String {
        let directory = try await makeEmpty()
        try await Command.run(["/bin/cp", "-a", "--reflink=auto", template(), directory])
        return directory
    }

    /// A path for a cluster that somebody else makes.
    func makeEmpty() async throws -> String {
        if opening == nil { opening = Task { try await self.open() } }
        guard let root = try await opening?.value else { throw Failure(description: "no directory") }
        count += 1
        return "\(root)/\(count)"
    }

    private func template() async throws -> String {
        guard let root = try await opening?.value else { throw Failure(description: "no directory") }
        return "\(root)/template"
    }

    private func open() async throws -> String {
        let words = PostgresInstallation.asItsUser + ["/bin/sh", "-c", Self.guardScript]
        let output = Pipe()
        guardian.executableURL = URL(filePath: words[0])
        guardian.arguments = Array(words.dropFirst())
        guardian.currentDirectoryURL = URL(filePath: "/")
        guardian.standardInput = pipe
        guardian.standardOutput = output
        try guardian.run()
        let line = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: output.fileHandleForReading.availableData) }
        }
        let root = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !root.isEmpty else { throw Failure(description: "no temporary directory") }
        try await Command.run([
            "\(PostgresInstallation.directory())/initdb", "--pgdata=\(root)/template", "--auth=trust", "--username=postgres",
            "--no-sync", "--no-locale", "--encoding=UTF8", "--no-instructions",
        ])
        return root
    }
}
