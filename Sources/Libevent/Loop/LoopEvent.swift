internal import CLibevent

/// One libevent event and what it calls. The owner (a `Timer`, a `Listener`…) holds it alone and gives it back to the loop when
/// it dies (`EventLoop.release`), so that it is freed on the loop's thread, whichever thread the owner dies on.
final class LoopEvent {
    enum Trigger {
        case timer
        case readable(Int32)
        case writable(Int32)
    }

    private let loop: EventLoop
    // Set once, right after the object exists that the event points to.
    private var event: OpaquePointer?
    let body: (LoopEvent) -> Void

    init(on loop: EventLoop, _ trigger: Trigger, repeats: Bool, body: @escaping (LoopEvent) -> Void) throws(LibeventError) {
        loop.preconditionOwned()
        self.loop = loop
        self.body = body
        let persist = repeats ? ps_ev_persist() : 0
        let (descriptor, interest) =
            switch trigger {
            case .timer: (Int32(-1), persist)
            case .readable(let descriptor): (descriptor, ps_ev_read() | persist)
            case .writable(let descriptor): (descriptor, ps_ev_write() | persist)
            }
        // Unretained: the event is freed in deinit, so it never outlives its context.
        event = event_new(
            loop.turn.base, descriptor, interest,
            { _, _, context in
                guard let context else { return }
                Unmanaged<LoopEvent>.fromOpaque(context).takeUnretainedValue().fire()
            }, Unmanaged.passUnretained(self).toOpaque())
        guard event != nil else { throw .library(call: "event_new") }
    }

    deinit {
        if let event { event_free(event) }
    }

    private func fire() {
        loop.turn.callback { body(self) }
    }

    /// Waits for the trigger, or, with a time, at most that long. Again while pending: the new time counts.
    func add(after delay: Duration? = nil) {
        loop.preconditionOwned()
        guard let delay else {
            let result = event_add(event, nil)
            precondition(result == 0, "event_add")
            return
        }
        var time = timeval(delay)
        let result = event_add(event, &time)
        precondition(result == 0, "event_add")
    }

    func remove() {
        loop.preconditionOwned()
        event_del(event)
    }
}

extension timeval {
    /// A duration as libevent takes it; a negative one is none.
    init(_ duration: Duration) {
        let parts = duration < .zero ? (seconds: 0, attoseconds: 0) : duration.components
        self.init(tv_sec: Int(parts.seconds), tv_usec: Int(parts.attoseconds / 1_000_000_000_000))
    }
}
