internal import Dispatch
internal import Gateway
internal import Libevent
internal import Logging
internal import Push
internal import PushAPI

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

    /// Of a store that is in one.
    private let directory: DataDirectory?
    let store: any Store
    let loops: [ServerLoop]
    let admin: AdminFront
    private let status: StatusBoard
    private let refusals: RefusalBoard
    /// What goes on while the store cannot be reached.
    private let beginning: Beginning
    private let auditLog: AuditLog?
    private let tls: ServerTLS?
    /// Looks after the files of TLS until the server ends.
    private let certificateWatch: Task<Void, Never>?
    let log: Logger

    private init(
        addresses: ServerAddresses, directory: DataDirectory?, store: any Store, loops: [ServerLoop], admin: AdminFront,
        status: StatusBoard, refusals: RefusalBoard, beginning: Beginning, auditLog: AuditLog?, tls: ServerTLS?, log: Logger
    ) {
        self.addresses = addresses
        self.directory = directory
        self.store = store
        self.loops = loops
        self.admin = admin
        self.status = status
        self.refusals = refusals
        self.beginning = beginning
        self.auditLog = auditLog
        self.tls = tls
        certificateWatch = tls.map { tls in Task.detached { await CertificateWatch.run(tls, log: log) } }
        self.log = log
    }

    // MARK: The start

    /// Returns when the server serves.
    /// - Throws: ``StartError``; then nothing of it is left.
    public static func start(_ configuration: ServerConfiguration) async throws(StartError) -> PushServer {
        try await start(configuration, RunningLevel(configuration.logLevel))
    }

    /// The same.
    /// - Parameters:
    ///   - level: of the log, which operators may change.
    ///   - inherited: sockets that were handed to the process, instead of those of the settings.
    ///   - opener: which stores there are.
    static func start(
        _ configuration: ServerConfiguration, _ level: RunningLevel, _ inherited: InheritedSockets = .none,
        _ opener: any StoreOpener = LinkedStores()
    ) async throws(StartError) -> PushServer {
        let configuration = try inherited.applied(to: configuration)
        try PortTrial.refuseSharedPorts(configuration.listeners)
        let log = Logger(label: "pspd")
        let files = Machine.raiseOpenFileLimit()
        let shares = DescriptorShares(openFiles: files, loops: configuration.loops, hasTLS: configuration.hasTLS)
        var directory: DataDirectory?
        if let path = configuration.store.directory { directory = try DataDirectory(path) }
        do throws(StartError) {
            let server = try await start(configuration, level, inherited, shares, in: directory, opener, log)
            if let closed = directory?.closedToOthers, !closed.isEmpty {
                log.notice("others could read the data", metadata: ["closed": "\(closed.joined(separator: ", "))"])
            }
            var metadata: Logger.Metadata = [
                "node": "\(configuration.node)", "store": "\(configuration.store)", "loops": "\(configuration.loops)",
                "open_files": "\(files)", "connections": "\(shares.connections)",
            ]
            for (name, address) in server.addresses.named { metadata[name] = "\(address)" }
            log.info("serving", metadata: metadata)
            return server
        } catch {
            directory?.abandon()
            throw error
        }
    }

    private static func start(
        _ configuration: ServerConfiguration, _ level: RunningLevel, _ inherited: InheritedSockets, _ shares: DescriptorShares,
        in directory: DataDirectory?, _ opener: any StoreOpener, _ log: Logger
    ) async throws(StartError) -> PushServer {
        let tls = try ServerTLS(configuration, log: log)
        let sockets = try ListeningSockets(configuration, inherited: inherited)
        let token = try Self.adminToken(configuration, directory)
        if Setting.isWeak(token: token) { log.warning("the token of --admin-token is short, and easily guessed") }
        try configuration.judgeStorePassword()
        try AuditFile.refuseOwnFiles(of: configuration, isStart: true)
        let auditLog = try configuration.auditDestination.map { destination throws(StartError) in
            try AuditLog(destination, node: configuration.store.isShared ? configuration.node : nil)
        }
        let store = try opener.open(configuration)
        var threads: [EventLoop] = []
        do {
            let way = configuration.usesPlainLibevent ? .plain : LibeventWay.best
            log.log(
                level: way == .direct ? .debug : .notice, "libevent is used in the \(way) way",
                metadata: ["version": "\(LibeventWay.version)"])
            threads = try (0..<configuration.loops).map { try EventLoop(name: "loop \($0)", way: way) }
            for thread in threads { thread.start() }
            let shared = SharedByLoops(shares, configuration)
            let loops = threads.map { ServerLoop(on: $0, port: store.port(for: $0), configuration, shared) }
            let status = StatusBoard(configuration.node, loops, store, tls, shared)
            let refusals = RefusalBoard(loops, auditLog)
            let admin = loops[0].makeAdminFront(
                token: token, status: status, level: level, traces: TraceBoard(shared.tracer, loops), refusals: refusals,
                lines: auditLog, configuration, shared)
            let beginning = try await Beginning(of: loops, admin, by: store, telling: shared.readiness, log)
            try await serve(loops, admin, on: sockets, tls)
            await status.begin()
            await refusals.begin(admin)
            try directory?.announce(sockets.addresses)
            return PushServer(
                addresses: sockets.addresses, directory: directory, store: store, loops: loops, admin: admin, status: status,
                refusals: refusals, beginning: beginning, auditLog: auditLog, tls: tls, log: log)
        } catch {
            await stop(store, then: threads)
            let reason = (error as? FileError)?.text ?? (error as? LibeventError)?.text ?? BilingualText("\(error)", "\(error)")
            throw .unexpected(BilingualText("无法启动：\(reason.chinese)", "could not start: \(reason.english)"))
        }
    }

    /// The operators' token: one that is set, or else the directory's own.
    private static func adminToken(
        _ configuration: ServerConfiguration, _ directory: DataDirectory?
    ) throws(StartError) -> String {
        if let token = try configuration.givenAdminToken() { return token }
        guard let directory else { preconditionFailure("without a directory there is a token among the settings") }
        return try directory.adminToken()
    }

    /// Begins to listen: for callers and devices on every loop, for operators on the first.
    private static func serve(
        _ loops: [ServerLoop], _ admin: AdminFront, on sockets: ListeningSockets, _ tls: ServerTLS?
    ) async throws {
        for (loop, socket) in zip(loops, sockets.mqtt) { try await loop.serveDevices(on: socket) }
        for (loop, socket) in zip(loops, sockets.http) { try await loop.serveCallers(on: socket) }
        try await admin.start(listening: sockets.admin)
        guard let tls else { return }
        for (loop, socket) in zip(loops, sockets.mqtts) { try await loop.serveDevices(on: socket, security: tls.mqtt) }
        for (loop, socket) in zip(loops, sockets.https) { try await loop.serveCallers(on: socket, security: tls.http) }
        if let socket = sockets.admins { try await admin.start(listening: socket, security: tls.http) }
    }

    // MARK: While it serves

    /// Reads the files of TLS again, where it has any, and writes the audit log's lines to a new file from now on, where that was
    /// moved away.
    /// - Parameter cause: for the log.
    public func reload(because cause: String = "asked to") {
        auditLog?.reopen(because: cause)
        if let tls {
            tls.reload(because: cause)
        } else if auditLog == nil {
            log.notice("\(cause): nothing is reloaded; settings are read at the start")
        }
    }

    /// Until when the certificate of the listeners with TLS is valid, in seconds of Unix time; `nil` without TLS.
    public var certificateExpiry: Int64? { tls?.certificate.expiry }

    // MARK: The end

    /// Ends the server, once; ``drain(_:of:because:within:)`` may have emptied it. The order is such that nothing is lost of
    /// which anybody was told:
    /// 1. the callers' listeners accept what waits and close; requests in hand are answered;
    /// 2. the devices' sockets are read until they are empty, and the devices are disconnected;
    /// 3. the operators' listener, which has told meanwhile that the server is alive and not ready, does as the callers' did;
    /// 4. the store commits what came by then;
    /// 5. the loops end.
    ///
    /// Slow callers and devices are waited for three seconds in all, the store's commit as long as it takes.
    /// - Returns: whether everything is committed and nothing is left behind.
    @discardableResult
    public func shutdown(because cause: String = "asked to") async -> Bool {
        await shutdown(because: cause, GracePeriod(.seconds(3)))
    }

    func shutdown(because cause: String, _ grace: GracePeriod) async -> Bool {
        log.info("ending", metadata: ["cause": "\(cause)"])
        certificateWatch?.cancel()
        beginning.cancel()
        await announceEnd()
        let callersEnded = await onEachLoop(within: grace) { loop in await loop.closeCallers(within: .seconds(2)) }
        if !callersEnded { log.warning("some callers were not waited for") }
        let devicesEnded = await onEachLoop(within: grace) { loop in await loop.disconnectDevices() }
        if !devicesEnded { log.warning("some devices were not waited for") }
        let operatorsEnded = await grace.wait { [admin] in await admin.shutdown(patience: .seconds(2)) }
        if !operatorsEnded { log.warning("some operators were not waited for") }
        await refusals.end()
        await status.end()
        await beginning.end(within: grace)
        let isKept = await Self.stop(store, then: loops.map(\.thread))
        defer { directory?.release() }
        auditLog?.flush(atMost: .seconds(1))
        do throws(FileError) {
            try directory?.retract()
        } catch {
            log.error("the addresses could not be taken back", metadata: ["cause": "\(error)"])
            return false
        }
        log.info("ended")
        return isKept
    }

    /// Does something on all loops at once, and waits for it at most until the period ends.
    /// - Returns: whether all of it is done.
    func onEachLoop(
        within period: GracePeriod, _ work: @escaping @Sendable (ServerLoop) async -> Void
    ) async -> Bool {
        await period.wait { [loops] in
            await withDiscardingTaskGroup { group in
                for loop in loops { group.addTask { await work(loop) } }
            }
        }
    }

    /// The store first: until it has ended it posts answers to the loops. Both block, so neither is done on a thread of the
    /// concurrency runtime's that others wait for.
    /// - Returns: whether the store has kept everything.
    @discardableResult
    private static func stop(_ store: any Store, then threads: [EventLoop]) async -> Bool {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                let isKept = store.close()
                for thread in threads { thread.stop() }
                for thread in threads { thread.join() }
                continuation.resume(returning: isKept)
            }
        }
    }
}
