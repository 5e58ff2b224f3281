internal import Base
public import Libevent

/// A connection to a PostgreSQL that several hosts may have, kept up by itself: a state machine on an event loop, over libpq's
/// functions that do not block.
///
/// ```swift
/// let insert = PostgresStatement("insert into log(target, body) values ($1, $2) returning seq")
/// let connection = PostgresConnection(on: loop, options) { event in … }
/// connection.open()
///
/// var arguments = PostgresArguments()
/// arguments.append(int8: 7)
/// arguments.append(bytea: payload)
/// connection.call(PostgresCall(insert, arguments)) { outcome in … }
/// ```
///
/// **Calls** are made from any thread, sent in their order without waiting for each other's answers (up to
/// ``PostgresOptions/pipelineDepth``), and carried out by the server one after the other, each a transaction of its own: where
/// one fails, its neighbours do not. Answers come in that order, on the connection's loop.
///
/// **A deadline** that passes for the call which the server works on has the server asked to cancel it, by a thread that lives as
/// long as the request, since libpq (before 17) blocks for it. Meanwhile nothing is sent: so the request cannot hit a later call.
/// The answer then says what has become of the call; it comes within ``PostgresOptions/cancelPatience``, or the connection is
/// given up and a new one begun. To close at once would be simpler, but it would leave the server at work on what nobody waits
/// for, perhaps with locks, and make the outcome of every neighbour unknown. A call that stands behind another one is answered at
/// its deadline, as unknown: what the server works on then is not late.
///
/// **Its end**: `close()`. Until then it holds itself.
public actor PostgresConnection {
    enum Phase {
        case new, preparing, connecting, settingUp, ready, resting, closed
    }

    nonisolated let loop: EventLoop
    /// What it has met since it was made.
    public nonisolated let counts = PostgresCounts()
    let options: PostgresOptions
    private let observer: @Sendable (PostgresEvent) -> Void
    private nonisolated let currentState = Locked(PostgresState.connecting)

    var phase = Phase.new
    var link: Link?
    var watch: DescriptorWatch?
    var session: PostgresSession?
    var lastLoss: PostgresLoss?

    // Connecting.
    var round: HostRound?
    var password: String?
    var endpoint: Endpoint?
    /// The one that had the last session.
    var lastEndpoint: Endpoint?
    /// The owner has moved on from that one: the next round begins behind it.
    var isMovingOn = false
    var pace: RetryPace
    var random = SplitMix()
    /// Which session, or attempt to get one, this is: what was begun for an earlier one comes too late.
    var generation = 0
    /// An attempt's end, or a rest's.
    var phaseTimer: Timer?

    // Calls.
    var waiting = CallQueue()
    var inFlight = CallQueue()
    /// The statements that this session knows, by number, with the types that they were prepared for.
    var prepared: [Int: [PostgresType]] = [:]
    var deadlineTimer: Timer?
    /// When that timer is due.
    var armedFor = Int64.max
    /// The server is asked to cancel the first call that is in flight.
    var cancellation: Cancellation?
    /// The session ends for this reason as soon as nothing is in flight.
    var retirement: PostgresLoss?
    /// The server's last words of this session.
    var farewell: PostgresError?

    // The end.
    var closers: [@Sendable () -> Void] = []
    var isClosing = false
    private var selfWhileOpen: PostgresConnection?

    /// The loop's executor.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Makes a connection, which does nothing until it is opened.
    /// - Parameter observer: called on the loop.
    public init(
        on loop: EventLoop, _ options: PostgresOptions, observer: @escaping @Sendable (PostgresEvent) -> Void = { _ in }
    ) {
        self.loop = loop
        self.options = options
        self.observer = observer
        pace = RetryPace(first: options.retry.first, last: options.retry.last)
    }

    // MARK: From any thread

    /// What it is doing.
    public nonisolated var state: PostgresState { currentState.withLock { $0 } }

    /// Begins to look for a server, and goes on until it is closed. Once.
    public nonisolated func open() {
        enter { connection in
            guard connection.phase == .new, !connection.isClosing else { return }
            connection.selfWhileOpen = connection
            connection.beginRound()
        }
    }

    /// Makes a call. Where there is no session it is answered at once as unavailable.
    /// - Parameter answer: called on the loop, once. It must not block.
    public nonisolated func call(_ call: PostgresCall, answer: @escaping @Sendable (PostgresOutcome) -> Void) {
        let deadline = MonotonicClock.nanoseconds + call.deadline.nanoseconds
        enter { [counts] in $0.admit(PendingCall(call, deadline: deadline, counts, answer: answer)) }
    }

    /// Makes a call and waits for what becomes of it.
    public nonisolated func call(_ call: PostgresCall) async -> PostgresOutcome {
        await withCheckedContinuation { continuation in
            self.call(call) { continuation.resume(returning: $0) }
        }
    }

    /// A server is of no use, though it answers: it may have been superseded, and commit nothing any more. The session with it
    /// ends, and the next one is looked for at the hosts behind it first. Nothing where the last session was with another one.
    /// - Parameter host: as ``PostgresSession/host`` names it.
    public nonisolated func leave(_ host: String) { enter { $0.leaveServer(host) } }

    /// Looks for a server at once where it rests between two attempts.
    public nonisolated func hurry() { enter { if $0.phase == .resting, !$0.isClosing { $0.beginRound() } } }

    /// Gives the session back, or the attempt to get one, and looks for the next one after a pause.
    public nonisolated func yield(for pause: Duration) { enter { $0.yieldSession(for: pause) } }

    /// Ends it. Calls that wait are unavailable; those that were sent may be answered within the patience, and are unknown after
    /// it.
    /// - Parameter done: called on the loop when nothing follows any more.
    public nonisolated func close(patience: Duration = .seconds(1), done: @escaping @Sendable () -> Void) {
        enter { $0.close(within: patience, done) }
    }

    /// Ends it, and waits for the end.
    public nonisolated func close(patience: Duration = .seconds(1)) async {
        await withCheckedContinuation { continuation in
            close(patience: patience) { continuation.resume() }
        }
    }

    /// Runs `body` on the loop, later: whoever calls from there, out of an answer, is in the middle of something.
    nonisolated func enter(_ body: @escaping @Sendable (isolated PostgresConnection) -> Void) {
        // Without a lock and a wake: that saves two calls of the system for each call that follows from an answer.
        if loop.isCurrent { return loop.afterCallback { self.assumeIsolated(body) } }
        loop.execute { self.assumeIsolated(body) }
    }

    // MARK: On the loop

    func tell(_ event: PostgresEvent) {
        if case .state(let state) = event { currentState.withLock { $0 = state } }
        observer(event)
    }

    func letGo() { selfWhileOpen = nil }

    /// The socket, for tests.
    var descriptor: Int32 { link?.descriptor ?? -1 }
}
