internal import Base
internal import CLibevent

/// What is bound to the loop's thread: libevent's bases, the turn's clock, and what waits for the turn's end.
final class LoopTurn {
    /// The main base: everything but the connections, where these have one of their own.
    let base: OpaquePointer
    /// Nil on the plain way.
    let connections: ConnectionBase?
    private let wakeEvent: OpaquePointer
    /// In nanoseconds.
    private let longest: Int64
    /// What the callbacks of a turn, its jobs and its steps may take each, so that the three together take no longer than the
    /// turn.
    private let longestPart: Int64

    var steps: [TurnStep] = []
    var later: [() -> Void] = []
    /// Jobs taken from the queue; those before `backlogStart` have run.
    var backlog: [EventLoop.Job] = []
    private(set) var backlogStart = 0

    /// Whom to tell when a listener of evhttp's cannot accept: the context of its callbacks is evhttp's.
    var acceptFailed: [OpaquePointer: () -> Void] = [:]

    /// Where a connection's read puts what has come, until the connection has taken it.
    let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: SocketStream.readSize, alignment: 16)

    /// By which the TLS of the loop's connections reads and writes; see `TLSSession`.
    private(set) lazy var socketBIO = BIO_new(BIO_s_socket())

    /// Zero until somebody asks in this turn: a pass may wait long before its first callback.
    private var began: Int64 = 0
    private var partBegan: Int64 = 0
    private var wall: Int64 = 0

    /// libevent runs a pass over the connections, and none of its callbacks is inside ours: the only place where a turn may end
    /// within a pass.
    private(set) var isBetweenCallbacks = false
    /// The turn ends while libevent still runs the pass over the connections.
    private(set) var isInsidePass = false
    /// The next pass does not wait.
    private(set) var goesOn = false

    init(wakeDescriptor: Int32, longest: Duration, way: LibeventWay) throws(LibeventError) {
        let base = try EventBase.make(usesChangelist: true)
        do throws(LibeventError) {
            connections = way == .direct ? try ConnectionBase(in: base, probe: wakeDescriptor) : nil
        } catch {
            event_base_free(base)
            throw error
        }
        // Edge-triggered: each write to the eventfd ends one wait, and nobody has to read it. Its event also keeps the base from
        // being empty.
        let interest = ps_ev_read() | ps_ev_persist() | ps_ev_edge()
        guard let event = event_new(base, wakeDescriptor, interest, { _, _, _ in }, nil), event_add(event, nil) == 0 else {
            connections?.free()
            event_base_free(base)
            throw .library(call: "event_new")
        }
        self.base = base
        self.longest = longest.nanoseconds
        longestPart = longest.nanoseconds / 3
        wakeEvent = event
    }

    func free() {
        event_free(wakeEvent)
        connections?.free()
        event_base_free(base)
        readBuffer.deallocate()
        BIO_free(socketBIO)
    }

    /// Where the persistent connections are.
    var connectionBase: OpaquePointer { connections?.base ?? base }

    // MARK: The clock

    var beginning: Int64 {
        if began == 0 { began = MonotonicClock.nanoseconds }
        return began
    }

    /// Whether the running part of the turn is older than its share.
    var isExceeded: Bool { MonotonicClock.nanoseconds - partBegan > longestPart }

    /// The jobs begin, or the steps: what came before does not count against them.
    func beginPart() { partBegan = MonotonicClock.nanoseconds }

    var wallClock: Int64 {
        if wall == 0 { wall = WallClock.milliseconds }
        return wall
    }

    // MARK: The parts of a turn

    /// A turn begins; a pass may hold several.
    func begin() {
        began = 0
        partBegan = 0
        wall = 0
    }

    /// One pass over what is ready, last the connections; waits for something to be, if `waiting`.
    func pass(waiting: Bool) {
        goesOn = false
        passMainBase(waiting: waiting)
        guard let connections, connections.hasWork else { return }
        isBetweenCallbacks = true
        connections.pass()
        isBetweenCallbacks = false
    }

    private func passMainBase(waiting: Bool) {
        // EVLOOP_NONBLOCK alone would not return while one descriptor stays ready.
        let result = event_base_loop(base, waiting ? EVLOOP_ONCE : EVLOOP_ONCE | EVLOOP_NONBLOCK)
        precondition(result == 0, "event_base_loop: \(result)")
    }

    /// The way in of the main base's callbacks. When the turn has become too long the pass over the main base is broken off, and
    /// what is active stays active; libevent then asks the system about its ready descriptors once more, which are few here.
    @inline(__always)
    func callback(_ body: () -> Void) {
        startClock()
        body()
        if MonotonicClock.nanoseconds - beginning > longest { event_base_loopbreak(base) }
    }

    /// The way in of a connection's callbacks.
    /// - Returns: whether the callbacks have had their share of the turn, and it may end here, inside the pass.
    @inline(__always)
    func interruptibleCallback(_ body: () -> Void) -> Bool {
        guard isBetweenCallbacks else {
            // libevent calls back from within a call of ours.
            body()
            return false
        }
        startClock()
        isBetweenCallbacks = false
        body()
        isBetweenCallbacks = true
        return isExceeded
    }

    /// Looks after the main base and runs what ends the turn, inside the pass.
    func interrupt(_ end: () -> Void) {
        isBetweenCallbacks = false
        isInsidePass = true
        passMainBase(waiting: false)
        end()
        isInsidePass = false
        isBetweenCallbacks = true
    }

    @inline(__always)
    private func startClock() {
        if partBegan == 0 { partBegan = beginning }
    }

    func goOn() { goesOn = true }

    var hasLater: Bool { !later.isEmpty }

    func runLater() {
        while !later.isEmpty {
            var now: [() -> Void] = []
            swap(&now, &later)
            for step in now { step() }
        }
    }

    func runSteps() {
        for step in steps where step.isDue { step.run() }
        runLater()
    }

    /// Whether a step was requested behind its own time in this turn: by another step, or by what a step has left for later.
    var isStepRequested: Bool { steps.contains { $0.isRequested } }

    /// What the steps hold must not keep its owners alive beyond the loop.
    func forgetSteps() { steps.removeAll() }

    var hasJobs: Bool { !backlog.isEmpty }

    func consumeBacklog(upTo index: Int) {
        if index == backlog.count {
            backlog.removeAll(keepingCapacity: index <= 4096)
            backlogStart = 0
        } else {
            backlogStart = index
        }
    }
}
