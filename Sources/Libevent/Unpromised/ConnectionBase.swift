internal import Base
internal import CLibevent

/// Trick: a second event base of a loop, for what comes in great numbers, the persistent connections. It stands in the loop's
/// main base as one descriptor, the epoll instance of its own, which is found by trying.
///
/// - What it relies on: libevent waits by epoll (epoll.c), one instance a base, which watches the descriptors of its events
///   level-triggered (`epoll_nochangelist_add`), so that `epoll_ctl` with the same interest changes nothing; and an epoll
///   instance is readable when something in it is ready (epoll(7)). libevent does not name the descriptor.
/// - What it gains: time that others wait, not instructions. A pass over 20 devices of 3 ms each holds a timer up for 60 ms
///   without it, and for one device's 3 ms with it.
/// - The plain way: one base for all.
///
/// When ten thousand devices answer at once, one question to the system returns thousands of ready sockets, and libevent asks
/// again only when it has been through with all. What must not wait for that (callers, timers, listeners) is in the main base,
/// which can be asked in between: it has few descriptors. (Event priorities do not help: each look for an urgent event would ask
/// about every ready socket again, at twice the cost of an answer.)
final class ConnectionBase {
    let base: OpaquePointer
    private var readiness: OpaquePointer?
    /// Something of it is ready: told by the main base.
    private var isReady = false

    /// - Parameters:
    ///   - main: the loop's main base, which tells when this one has something to do.
    ///   - probe: a descriptor that no event base knows yet.
    init(in main: OpaquePointer, probe: Int32) throws(LibeventError) {
        // No changelist, as changes must reach the system though this base does not wait. A connection's interest hardly ever
        // changes.
        base = try EventBase.make(usesChangelist: false)
        do throws(LibeventError) {
            let descriptor = try Self.descriptor(of: base, probe: probe)
            readiness = event_new(
                main, descriptor, ps_ev_read() | ps_ev_persist(),
                { _, _, context in
                    guard let context else { return }
                    // Unretained: the event is freed with this object.
                    Unmanaged<ConnectionBase>.fromOpaque(context).takeUnretainedValue().isReady = true
                }, Unmanaged.passUnretained(self).toOpaque())
            guard readiness != nil, event_add(readiness, nil) == 0 else { throw .library(call: "event_new") }
        } catch {
            free()
            throw error
        }
    }

    /// When no connection is left, before the main base.
    func free() {
        if let readiness { event_free(readiness) }
        readiness = nil
        event_base_free(base)
    }

    /// libevent does not name its epoll descriptor: it is the only one that knows the probe.
    static func descriptor(of base: OpaquePointer, probe: Int32) throws(LibeventError) -> Int32 {
        guard let event = event_new(base, probe, ps_ev_read() | ps_ev_persist(), { _, _, _ in }, nil) else {
            throw .library(call: "event_new")
        }
        defer { event_free(event) }
        guard event_add(event, nil) == 0 else { throw .library(call: "event_add") }
        let descriptor = ps_epoll_that_watches(probe)
        guard descriptor >= 0 else { throw .lastSystemError("epoll_ctl") }
        return descriptor
    }

    /// Whether the next pass over it has something to do: what is ready, or what libevent has put off (the end of a connection).
    var hasWork: Bool { isReady || event_base_get_num_events(base, UInt32(EVENT_BASE_COUNT_ACTIVE)) > 0 }

    /// One pass over what is ready.
    func pass() {
        isReady = false
        // EVLOOP_NONBLOCK alone would not return while one descriptor stays ready. The result says whether there is any event:
        // there need not be.
        let result = event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK)
        precondition(result >= 0, "event_base_loop: \(result)")
    }
}
