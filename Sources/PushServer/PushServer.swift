internal import Gateway
internal import Libevent
internal import Logging
internal import Push
internal import PushAPI
internal import SQLiteStore

/// The whole server in one process: the store, N event loops with callers and devices, the operators' listener.
///
/// ```swift
/// var configuration = ServerConfiguration()
/// configuration.http = try SocketAddress(parsing: "127.0.0.1:0")
/// let server = try await PushServer.start(configuration)
/// server.addresses.http.port          // the real one
/// await server.shutdown()
/// ```
public final class PushServer: Sendable {
    /// Where it serves, with the real ports.
    public let addresses: ServerAddresses

    private let directory: DataDirectory
    private let store: SQLiteStore
    private let loops: [ServerLoop]
    private let admin: AdminFront
    private let log: Logger

    private init(
        addresses: ServerAddresses, directory: DataDirectory, store: SQLiteStore, loops: [ServerLoop], admin: AdminFront, log: Logger
    ) {
        self.addresses = addresses
        self.directory = directory
        self.store = store
        self.loops = loops
        self.admin = admin
        self.log = log
    }

    // MARK: The start

    /// Returns when the server serves.
    /// - Throws: ``StartError``; then nothing of it is left.
    public static func start(_ configuration: ServerConfiguration) async throws(StartError) -> PushServer {
        let log = Logger(label: "pspd")
        let files = OpenFiles.raiseLimit()
        let directory = try DataDirectory(configuration.dataDirectory)
        do throws(StartError) {
            let server = try await start(configuration, in: directory, log)
            log.info(
                "serving",
                metadata: [
                    "http": "\(server.addresses.http)", "mqtt": "\(server.addresses.mqtt)", "admin": "\(server.addresses.admin)",
                    "data": "\(configuration.dataDirectory)", "loops": "\(configuration.loops)", "open_files": "\(files)",
                ])
            return server
        } catch {
            directory.release()
            throw error
        }
    }

    private static func start(
        _ configuration: ServerConfiguration, in directory: DataDirectory, _ log: Logger
    ) async throws(StartError) -> PushServer {
        let sockets = try ListeningSockets(configuration)
        let token = try directory.adminToken(configured: configuration.adminToken)
        let store = try open(configuration)
        var threads: [EventLoop] = []
        do {
            threads = try (0..<configuration.loops).map { try EventLoop(name: "loop \($0)") }
            for thread in threads { thread.start() }
            let loops = threads.map { ServerLoop(on: $0, port: store.port(for: $0), .init(configuration)) }
            for loop in loops { try await loop.begin() }
            let admin = try await serve(loops, sockets, token, log)
            try directory.announce(sockets.addresses)
            return PushServer(
                addresses: sockets.addresses, directory: directory, store: store, loops: loops, admin: admin, log: log)
        } catch {
            await store.close()
            end(threads)
            throw .unexpected("could not start: \(error)")
        }
    }
}
