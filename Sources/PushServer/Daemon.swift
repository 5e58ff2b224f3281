internal import Base
internal import CoreMetrics
internal import Dispatch
internal import Glibc
internal import Libevent
internal import Logging
internal import Push

/// `pspd` as a process: arguments in, ready line out, signals, exit code.
public enum Daemon {
    /// How a process of `pspd` ends.
    private enum ExitCode {
        static let ended: Int32 = 0
        static let unexpected: Int32 = 1
        static let cannotWork: Int32 = 2
    }

    /// Runs until a signal ends it. Call it on the main thread, before any other thread exists.
    /// - Parameter arguments: without the program's name.
    /// - Returns: the process's exit code.
    public static func run(arguments: [String], environment: [String: String]) -> Int32 {
        let console = Console(language: Language { environment[$0] })
        let configuration: ServerConfiguration
        do throws(SettingsError) {
            switch try Invocation(arguments: arguments) {
            case .help: return told(console.tell(SettingsHelp(language: console.language).text))
            case .version: return told(console.tell("pspd \(Version.current)\n"))
            case .check(let flags, let triesPorts):
                return check(try ServerConfiguration(flags: flags, environment: environment), triesPorts: triesPorts, console)
            case .serve(let flags): configuration = try ServerConfiguration(flags: flags, environment: environment)
            }
        } catch {
            console.complain(error.text)
            return ExitCode.cannotWork
        }
        let log = LogWriter(to: STDERR_FILENO, format: configuration.logFormat)
        let level = RunningLevel(configuration.logLevel)
        LoggingSystem.bootstrap { label in LogLineHandler(label: label, level: level, writer: log) }
        MetricsSystem.bootstrap(MetricsRegistry.process)
        RareCounters.begin()
        let code = serve(configuration, level, environment, console, log)
        log.flush(atMost: .seconds(1))
        return code
    }

    /// Says whether a server could work with these settings here.
    private static func check(_ configuration: ServerConfiguration, triesPorts: Bool, _ console: Console) -> Int32 {
        do throws(StartError) {
            _ = try ServerTLS(configuration, log: Logger(label: "pspd") { _ in SwiftLogNoOpLogHandler() })
            try LinkedStores().judge(configuration)
            let token = try configuration.givenAdminToken()
            try configuration.judgeStorePassword()
            try AuditFile.refuseOwnFiles(of: configuration, isStart: false)
            if case .file(let path)? = configuration.auditDestination { try AuditFile.judge(path) }
            let notes = try PortTrial.notes(of: configuration, triesPorts: triesPorts)
            if let token, Setting.isWeak(token: token), !console.tell(Self.weakToken) { return ExitCode.unexpected }
            for note in notes where !console.tell(note) { return ExitCode.unexpected }
        } catch {
            console.complain(error.text)
            return ExitCode.cannotWork
        }
        return told(console.tell(BilingualText("配置可以使用", "the settings can be used")))
    }

    private static let weakToken = BilingualText(
        "令牌不足 \(Setting.shortestToken) 字节，容易被猜到", "a token of fewer than \(Setting.shortestToken) bytes is easily guessed"
    ).after("--admin-token")

    private static func serve(
        _ configuration: ServerConfiguration, _ level: RunningLevel, _ environment: [String: String], _ console: Console,
        _ log: LogWriter
    ) -> Int32 {
        let manager = ServiceManager(environment)
        let signals = ProcessSignals()
        // The store holds secrets, whoever made the directory.
        umask(0o077)
        let server: PushServer
        do throws(StartError) {
            let inherited = try InheritedSockets(environment)
            server = try waiting { () async throws(StartError) in
                try await PushServer.start(configuration, level, inherited)
            }.get()
        } catch {
            console.complain(error.text, log)
            switch error {
            case .cannotWork: return ExitCode.cannotWork
            case .unexpected: return ExitCode.unexpected
            }
        }
        let end = ServerEnd(of: server, Drain(configuration), manager)
        guard console.tell(server.addresses.readyLine + "\n") else {
            // Whoever started the server waits for that line and will never see it. A server that nobody knows of must not run
            // on.
            end.hurry()
            _ = finish(end, because: "a standard output that cannot be written", signals, console, log)
            return ExitCode.unexpected
        }
        manager?.follow(server)
        return finish(end, because: untilStopped(server, signals), signals, console, log)
    }

    /// - Returns: the name of the signal that asks for the end.
    private static func untilStopped(_ server: PushServer, _ signals: ProcessSignals) -> String {
        while true {
            switch signals.wait() {
            case .stop(let name): return name
            case .hangUp: server.reload(because: "SIGHUP")
            }
        }
    }

    /// Ends the server. A second signal ends all waiting.
    private static func finish(
        _ end: ServerEnd, because cause: String, _ signals: ProcessSignals, _ console: Console, _ log: LogWriter
    ) -> Int32 {
        end.begin(because: cause)
        while true {
            switch end.outcome {
            case .underway: break
            case .ended(let isKept): return isKept ? ExitCode.ended : ExitCode.unexpected
            case .tooLate:
                console.complain(BilingualText("存储没有及时关闭", "the store could not be closed in time"), log)
                return ExitCode.unexpected
            }
            if case .stop? = signals.wait(atMost: .milliseconds(20)) { end.hurry() }
        }
    }

    /// Runs `work` on the concurrency runtime's own threads and blocks the calling thread until it ends.
    private static func waiting<Success: Sendable, Failure: Error>(
        for work: @escaping @Sendable () async throws(Failure) -> Success
    ) -> Result<Success, Failure> {
        let result = Locked<Result<Success, Failure>?>(nil)
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            let outcome: Result<Success, Failure>
            do throws(Failure) { outcome = .success(try await work()) } catch { outcome = .failure(error) }
            result.withLock { $0 = outcome }
            done.signal()
        }
        while true {
            done.wait()
            if let result = result.withLock({ $0 }) { return result }
        }
    }

    private static func told(_ isWritten: Bool) -> Int32 { isWritten ? ExitCode.ended : ExitCode.unexpected }
}
