internal import Base
internal import CLibevent
internal import Glibc
internal import Synchronization

/// One thread that waits for sockets and timers by libevent, and at the same time the executor of every actor that lives on it.
///
/// A server makes one loop a core. Whatever belongs to a loop (`Listener`, `Connection`, `Timer`, `HTTPServer`…) is a class that
/// is *not* `Sendable`: an actor on that loop owns it, and the compiler keeps it there. libevent calls back on the loop's thread,
/// which is the actor's executor, so entering the actor is no hop: it is a plain call.
///
/// An actor that echoes, and an actor that answers HTTP after asking somebody else:
/// ```swift
/// actor Echo: ConnectionHandler {
///     private let loop: EventLoop
///     private var listener: Listener?
///     private var connections: [ObjectIdentifier: Connection] = [:]
///
///     // This line makes the loop the actor's executor.
///     nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
///
///     init(on loop: EventLoop) { self.loop = loop }        // not yet on the loop: make nothing that belongs to it here
///
///     func listen(on socket: ListeningSocket) throws {
///         // A closure written inside an actor is isolated to it: it may call the actor directly.
///         // `unowned`, since the actor owns the listener.
///         listener = try Listener(socket, on: loop) { [unowned self] connection in accept(connection) }
///     }
///
///     private func accept(_ connection: Connection) {
///         connection.handler = self                         // held until the connection has ended
///         connections[ObjectIdentifier(connection)] = connection
///     }
///
///     // The handler's methods are called on the loop; `assumeIsolated` verifies it.
///     // What is handed over is `sending`, so that it may enter.
///     nonisolated func connectionDidRead(_ connection: sending Connection) {
///         assumeIsolated { $0.echo(connection) }
///     }
///     nonisolated func connectionDidClose(_ connection: sending Connection, reason: Connection.CloseReason) {
///         assumeIsolated { $0.connections[ObjectIdentifier(connection)] = nil }
///     }
///     private func echo(_ connection: Connection) {
///         let bytes = connection.withInput { bytes, consumed in
///             consumed = bytes.count
///             return Array(bytes)
///         }
///         connection.send(bytes)
///     }
/// }
///
/// actor Front {
///     private let loop: EventLoop
///     private let store: Store                              // an actor anywhere, on this loop, another one or none
///     private var server: HTTPServer?
///     nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
///
///     init(on loop: EventLoop, store: Store) { (self.loop, self.store) = (loop, store) }
///
///     func listen(on socket: ListeningSocket) throws {
///         let server = try HTTPServer(on: loop, limits: HTTPLimits()) { [unowned self] exchange in answer(exchange) }
///         try server.listen(on: socket)
///         self.server = server
///     }
///
///     private func answer(_ exchange: HTTPExchange) {
///         // Runs among this turn's jobs. The preference is what brings it straight back here after the await.
///         Task.immediate(executorPreference: loop) {
///             let text = await store.value(for: exchange.rawPath)
///             exchange.reply(status: 200, headers: [("Content-Type", "text/plain")], body: Array(text.utf8))
///         }
///     }
/// }
///
/// let loop = try EventLoop(name: "loop 0")
/// loop.start()
/// let echo = Echo(on: loop)
/// try await echo.listen(on: ListeningSocket.bind(SocketAddress(parsing: "127.0.0.1:0"), count: 1)[0])
/// ```
///
/// **A turn** is: callbacks of what is ready, the queued jobs, then the steps registered by `atEndOfTurn(_:)`. So what the
/// callbacks produced is handed over in batches, without a timer. A turn should take no longer than `longestTurn`, of which each
/// of the three has a third: what it has not reached is served by the next ones, none of the three kinds before another.
///
/// **The end**: close what belongs to the loop, `stop()`, `join()`. Loops end last: a job that reaches a loop that has ended
/// never runs.
public final class EventLoop: SerialExecutor, TaskExecutor, Sendable {
    /// How long a turn should take at most, unless the loop was made with another limit: what waits for one of its parts waits no
    /// longer than about this.
    public static let longestTurn = Duration.milliseconds(1)

    /// The thread's name, cut to 15 bytes for the system.
    public let name: String
    /// How it uses libevent.
    public let way: LibeventWay

    enum Job: Sendable {
        case task(UnownedJob)
        case work(@Sendable () -> Void)
    }
    enum Life: Sendable { case new, running, ended }
    struct Shared: Sendable {
        var life = Life.new
        var jobs: [Job] = []
        var stopping = false
        /// The loop waits, or is about to, without having seen the queue since: it needs a wake.
        var sleeping = false
    }

    /// What other threads touch.
    let shared = Locked(Shared())
    private let thread = Locked<pthread_t?>(nil)
    /// `pthread_self()` of the thread that runs the loop, 0 when none does.
    private let runner = Atomic<UInt>(0)

    /// What only the loop's thread touches. Safe: every use is on that thread, or before it is started; `LoopTurn` is never
    /// handed out.
    nonisolated(unsafe) let turn: LoopTurn
    /// What the loop sleeps on.
    let alarm: Alarm

    /// Makes the loop; nothing runs until `start()` or `run()`.
    ///
    /// - Parameters:
    ///   - longestTurn: what does not share its loop with anybody who waits may take longer turns, which cost less.
    ///   - way: `.direct` only with a libevent that is known to bear it.
    public init(
        name: String, longestTurn: Duration = EventLoop.longestTurn, way: LibeventWay = .best
    ) throws(LibeventError) {
        Self.prepareProcess()
        self.name = name
        self.way = way
        alarm = try Alarm()
        turn = try LoopTurn(wakeDescriptor: alarm.descriptor, longest: longestTurn, way: way)
    }

    // Nobody holds the loop any more: no thread runs it, and no object of it exists.
    deinit { turn.free() }

    /// A peer that has gone must be an error of `send`, not the end of the process.
    private static func prepareProcess() { ps_ignore_sigpipe() }

    // MARK: Its thread

    /// Starts the loop on a thread of its own. Call it once.
    public func start() {
        var handle = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        let result = pthread_create(&handle, nil, loopThread, context)
        precondition(result == 0, "pthread_create: \(SystemError(code: result))")
        thread.withLock { $0 = handle }
    }

    /// Runs the loop on the calling thread; returns after `stop()`.
    public func run() {
        shared.withLock { shared in
            precondition(shared.life == .new, "a loop runs once")
            shared.life = .running
        }
        CurrentThread.setName(name)
        runner.store(UInt(pthread_self()), ordering: .relaxed)
        CurrentLoop.set(self)
        Task(executorPreference: Entrance(to: self)) { self.runTurns() }
        CurrentLoop.set(nil)
        runner.store(0, ordering: .relaxed)
        turn.forgetSteps()
    }

    /// Asks the loop to end after the current turn, when no job is queued. From any thread; returns at once.
    public func stop() {
        let alarm = shared.withLock { shared in
            shared.stopping = true
            return takeAlarm(&shared)
        }
        alarm?.ring()
    }

    /// Blocks until the thread that `start()` made has ended. Not from the loop itself.
    public func join() {
        precondition(!isCurrent, "a loop cannot wait for its own end")
        let handle = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let handle { pthread_join(handle, nil) }
    }

    /// Says that nobody joins the thread that `start()` made: it goes by itself when the loop has stopped. From any thread, the
    /// loop's own too.
    public func detach() {
        let handle = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let handle { pthread_detach(handle) }
    }

    /// Whether the caller is on this loop's thread.
    public var isCurrent: Bool { runner.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// The loop that the calling thread runs.
    public static var current: EventLoop? { CurrentLoop.get() }

    /// Traps unless the caller may touch what belongs to this loop: on its thread, or while no thread runs it.
    func preconditionOwned(_ what: StaticString = "an object of a loop") {
        precondition(
            isCurrent || shared.withLock { $0.life != .running }, "\(what) is touched from another thread than its loop's")
    }

    /// Under the lock: what has to be rung when it is released, if the loop sleeps and nobody else wakes it.
    ///
    /// Whoever rings holds the alarm. Of the loop nothing may be touched behind the lock: it may have run the job that was
    /// posted, ended and gone by then, for the runtime posts a task's job without holding its executor.
    func takeAlarm(_ shared: inout Shared) -> Alarm? {
        defer { shared.sleeping = false }
        return shared.sleeping ? alarm : nil
    }
}

/// Runs a task's job at once, on the calling thread, as the loop runs its own.
///
/// The loop spends its life inside one such job. So the runtime knows, wherever libevent calls back, on which executor it is, and
/// `assumeIsolated` compares two pointers; outside any job it asks for the main executor, by casts, before it asks the loop
/// (measured: 1,050 instructions, a twelfth of a delivery).
private final class Entrance: TaskExecutor {
    private let loop: EventLoop

    init(to loop: EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        UnownedJob(job).runSynchronously(isolatedTo: loop.asUnownedSerialExecutor(), taskExecutor: loop.asUnownedTaskExecutor())
    }
}

private func loopThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<EventLoop>.fromOpaque(context).takeRetainedValue().run()
    return nil
}

/// Which loop a thread runs.
private enum CurrentLoop {
    static let key: pthread_key_t = {
        var key = pthread_key_t()
        let result = pthread_key_create(&key, nil)
        precondition(result == 0, "pthread_key_create: \(result)")
        return key
    }()

    static func set(_ loop: EventLoop?) {
        // Unretained: whoever runs the loop holds it as long as the key is set.
        pthread_setspecific(key, loop.map { Unmanaged.passUnretained($0).toOpaque() })
    }

    static func get() -> EventLoop? {
        pthread_getspecific(key).map { Unmanaged<EventLoop>.fromOpaque($0).takeUnretainedValue() }
    }
}
