import Base
import Foundation

/// A real PostgreSQL for tests, on a free port of 127.0.0.1, with a directory of its own. Everybody is trusted unless `access`
/// says otherwise; nothing is synced to the disk.
///
/// ```swift
/// try await withPostgres { server in
///     … server.address …
/// }
/// ```
public final class PostgresServer: Sendable {
    private struct State: Sendable {
        var process: Int32 = 0
        var ending: Ending?
    }

    /// Its data.
    public let directory: String
    /// Where it listens.
    public let port: UInt16
    private let state = Locked(State())

    private init(directory: String, port: UInt16) {
        self.directory = directory
        self.port = port
    }

    /// libpq's address of it, as the user `postgres` unless another one is given.
    public func address(user: String = "postgres", _ parameters: [String] = []) -> String {
        "postgres://\(user)@127.0.0.1:\(port)/postgres" + (parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&"))
    }

    // MARK: Making

    /// Makes one that does not run yet.
    /// - Parameters:
    ///   - settings: of postgresql.conf, beside those that make it small and fast.
    ///   - access: the lines of pg_hba.conf.
    public static func make(
        settings: [String: String] = [:], access: [String] = ["local all all trust", "host all all 127.0.0.1/32 trust"]
    ) async throws -> PostgresServer {
        let directory = try await ServerDirectory.shared.makeCluster()
        let server = try PostgresServer(directory: directory, port: FreePort.next())
        try server.write(access + ["host replication all 127.0.0.1/32 trust"], to: "pg_hba.conf")
        try server.set(Self.small.merging(server.own) { $1 }.merging(settings) { $1 })
        return server
    }

    /// Makes a standby that follows this server, under a name that `synchronous_standby_names` knows it by.
    public func makeStandby(named name: String) async throws -> PostgresServer {
        let directory = try await ServerDirectory.shared.makeEmpty()
        let standby = try PostgresServer(directory: directory, port: FreePort.next())
        let source = "host=127.0.0.1 port=\(port) user=postgres application_name=\(name)"
        try await Command.run([
            "\(PostgresInstallation.directory())/pg_basebackup", "--pgdata=\(directory)", "--dbname=\(source)",
            "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync", "--no-manifest",
        ])
        try standby.set(standby.own)
        return standby
    }

    /// Little of everything, and no wait for the disk.
    private static let small = [
        "fsync": "off", "full_page_writes": "off", "shared_buffers": "16MB", "max_connections": "30", "max_wal_senders": "4",
        "wal_level": "replica", "wal_keep_size": "64MB", "autovacuum": "off", "dynamic_shared_memory_type": "mmap",
        "wal_receiver_status_interval": "1", "listen_addresses": "127.0.0.1", "max_worker_processes": "2",
    ]

    private var own: [String: String] { ["port": String(port), "unix_socket_directories": directory] }

    /// Changes settings; one that runs takes them over soon, where it can without a restart.
    public func set(_ settings: [String: String]) throws {
        try append(settings.map { "\($0) = '\($1)'" }.sorted(), to: "postgresql.conf")
        let process = process
        if process != 0 { kill(process, SIGHUP) }
    }

    /// Writes a file of its directory, which its user owns and nobody else reads.
    public func write(_ lines: [String], to name: String) throws {
        // It is there as a whole: the server removes some files when it sees them.
        let unfinished = "\(name).unfinished"
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: "\(directory)/\(unfinished)"))
        try giveAway(unfinished)
        guard rename("\(directory)/\(unfinished)", "\(directory)/\(name)") == 0 else {
            throw Failure(description: "\(name): \(errno)")
        }
    }

    /// Reloads files that were written.
    public func reload() { kill(process, SIGHUP) }

    private func append(_ lines: [String], to name: String) throws {
        let file = try FileHandle(forUpdating: URL(filePath: "\(directory)/\(name)"))
        try file.seekToEnd()
        try file.write(contentsOf: Data((lines.joined(separator: "\n") + "\n").utf8))
        try file.close()
    }

    private func giveAway(_ name: String) throws {
        let path = "\(directory)/\(name)"
        var status = stat()
        guard stat(directory, &status) == 0, chown(path, status.st_uid, status.st_gid) == 0, chmod(path, 0o600) == 0 else {
            throw Failure(description: "\(path): errno \(errno)")
        }
    }

    // MARK: Running

    /// The server's own process; 0: it does not run.
    public var process: Int32 { state.withLock { $0.process } }

    /// Starts it, and waits until it takes connections.
    public func start() async throws {
        try launch()
        try await eventually("PostgreSQL on port \(port) takes connections") {
            if state.withLock({ $0.ending?.hasCome }) == true { throw Failure(description: "it has ended: \(log)") }
            return status.hasPrefix("ready") || status.hasPrefix("standby")
        }
    }

    /// Starts it and waits for nothing.
    public func launch() throws {
        let process = Process()
        let words = try PostgresInstallation.asItsUser + ["\(PostgresInstallation.directory())/postgres", "-D", directory]
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst())
        process.currentDirectoryURL = URL(filePath: "/")
        process.standardInput = FileHandle.nullDevice
        guard FileManager.default.createFile(atPath: logPath, contents: nil) else { throw Failure(description: logPath) }
        let log = try FileHandle(forWritingTo: URL(filePath: logPath))
        process.standardOutput = log
        process.standardError = log
        let ending = Ending(of: process)
        try process.run()
        let identifier = process.processIdentifier
        state.withLock { $0 = State(process: identifier, ending: ending) }
    }

    /// What it has written since it was started.
    public var log: String { (try? String(contentsOf: URL(filePath: logPath), encoding: .utf8)) ?? "" }

    private var logPath: String { "\(directory).log" }

    /// Lets all that run end at once, as after a crash, and waits for it; it can be started again.
    public func stop() async { await end(by: SIGQUIT) }

    /// Ends it as an operator does: it writes everything to the disk and asks its standbys first.
    public func shutDown() async { await end(by: SIGINT) }

    /// Kills it, as a machine's end does.
    public func crash() async {
        let segment = sharedMemory
        await end(by: SIGKILL)
        // Only its next start would free this.
        if let segment { shmctl(segment, IPC_RMID, nil) }
    }

    private func end(by signal: Int32) async {
        let (process, ending) = state.withLock { ($0.process, $0.ending) }
        guard let ending else { return }
        kill(process, signal)
        kill(process, SIGCONT)
        await ending.status()
        state.withLock { $0 = State() }
    }

    /// Has it do nothing until `resume()`: its process, and the sessions that it serves.
    public func pause() { for process in processes { kill(process, SIGSTOP) } }

    /// Has it go on.
    public func resume() { for process in processes { kill(process, SIGCONT) } }

    /// Makes a primary of a standby, and waits until it is one.
    public func promote() async throws {
        try write([], to: "promote")
        kill(process, SIGUSR1)
        try await eventually("the standby on port \(port) is a primary") { status.hasPrefix("ready") }
    }

    private var processes: [Int32] {
        let children =
            (try? String(contentsOf: URL(filePath: "/proc/\(process)/task/\(process)/children"), encoding: .utf8)) ?? ""
        return [process] + children.split(separator: " ").compactMap { Int32($0) }
    }

    /// What it says of itself: `starting`, `ready`, `standby`, `stopping`.
    private var status: String { lineOfPidFile(7) }

    private var sharedMemory: Int32? { lineOfPidFile(6).split(separator: " ").last.flatMap { Int32($0) } }

    /// One of its lines; empty where there is none. The server writes it anew while it starts, so each reading may find fewer.
    private func lineOfPidFile(_ number: Int) -> String {
        let text = (try? String(contentsOf: URL(filePath: "\(directory)/postmaster.pid"), encoding: .utf8)) ?? ""
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return number < lines.count ? String(lines[number]) : ""
    }

    /// Stops it and removes all of it.
    public func remove() async {
        await stop()
        for path in [directory, logPath] { try? FileManager.default.removeItem(atPath: path) }
    }
}

/// Runs `body` with a server that ends with it.
public func withPostgres<R>(
    settings: [String: String] = [:], access: [String] = ["local all all trust", "host all all 127.0.0.1/32 trust"],
    _ body: @concurrent (PostgresServer) async throws -> R
) async throws -> R {
    let server = try await PostgresServer.make(settings: settings, access: access)
    let result: Result<R, any Error>
    do {
        try await server.start()
        result = .success(try await body(server))
    } catch {
        result = .failure(error)
    }
    await server.remove()
    return try result.get()
}

/// Runs `body` with a server that many tests share, one after the other: leave it as it is, and nothing in it but what a session
/// takes with it. It ends with the process.
public func withSharedPostgres<R>(_ body: @concurrent (PostgresServer) async throws -> R) async throws -> R {
    try await body(SharedServer.only.server())
}

private actor SharedServer {
    static let only = SharedServer()
    private var starting: Task<PostgresServer, any Error>?

    func server() async throws -> PostgresServer {
        if let starting { return try await starting.value }
        let task = Task {
            let server = try await PostgresServer.make()
            try await server.start()
            return server
        }
        starting = task
        return try await task.value
    }
}
