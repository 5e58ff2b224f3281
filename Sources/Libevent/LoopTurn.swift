internal import CLibevent

/// What is bound to the loop's thread: libevent's base, the turn's clock, and what waits for the turn's end.
final class LoopTurn {
    let base: OpaquePointer
    private let wakeEvent: OpaquePointer
    /// In nanoseconds.
    private let longest: Int64

    var steps: [() -> Void] = []
    var later: [() -> Void] = []
    /// Jobs taken from the queue; those before `backlogStart` have run.
    var backlog: [EventLoop.Job] = []
    private(set) var backlogStart = 0

    /// Whom to tell when a listener of evhttp cannot accept, by evhttp's address, which is all that its error callback is given.
    var acceptTrouble: [OpaquePointer: () -> Void] = [:]

    /// Zero until somebody asks in this turn: a pass may wait long before its first callback.
    private var began: Int64 = 0
    private var wall: Int64 = 0

    init(wakeDescriptor: Int32, longest: Duration) throws(LibeventError) {
        guard let config = event_config_new() else { throw .library(call: "event_config_new") }
        defer { event_config_free(config) }
        // No lock: one thread only. The changelist saves system calls where interest in a descriptor changes often, and is unsafe with
        // duplicated descriptors: nothing in this room calls dup, and everything is close-on-exec, so that no other process shares one.
        let flags =
            EVENT_BASE_FLAG_NOLOCK.rawValue | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST.rawValue | EVENT_BASE_FLAG_IGNORE_ENV.rawValue
        guard event_config_set_flag(config, Int32(flags)) == 0, let base = event_base_new_with_config(config) else {
            throw .library(call: "event_base_new_with_config")
        }
        // Edge-triggered: each write to the eventfd ends one wait, and nobody has to read it. Its event also keeps the base from being empty.
        let interest = ps_ev_read() | ps_ev_persist() | ps_ev_edge()
        guard let event = event_new(base, wakeDescriptor, interest, { _, _, _ in }, nil), event_add(event, nil) == 0 else {
            event_base_free(base)
            throw .library(call: "event_new")
        }
        self.base = base
        self.longest = longest.nanoseconds
        wakeEvent = event
    }

    func free() {
        event_free(wakeEvent)
        event_base_free(base)
    }

    // MARK: The clock

    var beginning: Int64 {
        if began == 0 { began = ps_monotonic_nanoseconds() }
        return began
    }

    var isExceeded: Bool { ps_monotonic_nanoseconds() - beginning > longest }

    var wallClock: Int64 {
        if wall == 0 { wall = ps_wall_milliseconds() }
        return wall
    }

    // MARK: The parts of a turn

    /// One pass over what is ready; waits for something to be, if `waiting`.
    func pass(waiting: Bool) {
        began = 0
        wall = 0
        // EVLOOP_NONBLOCK alone would not return while one descriptor stays ready.
        let result = event_base_loop(base, waiting ? EVLOOP_ONCE : EVLOOP_ONCE | EVLOOP_NONBLOCK)
        precondition(result == 0, "event_base_loop: \(result)")
    }

    /// A libevent callback's way in. Breaks the pass off when the turn has become too long: what is active stays active.
    @inline(__always)
    func callback(_ body: () -> Void) {
        _ = beginning
        body()
        if isExceeded { event_base_loopbreak(base) }
    }

    var hasLater: Bool { !later.isEmpty }

    func runLater() {
        while !later.isEmpty {
            var now: [() -> Void] = []
            swap(&now, &later)
            for step in now { step() }
        }
    }

    func runSteps() {
        for step in steps { step() }
        runLater()
    }

    /// What the steps hold must not keep its owners alive beyond the loop.
    func forgetSteps() { steps.removeAll() }

    func consumeBacklog(upTo index: Int) {
        if index == backlog.count {
            backlog.removeAll(keepingCapacity: index <= 4096)
            backlogStart = 0
        } else {
            backlogStart = index
        }
    }
}
