internal import CLibevent

/// Trick: the callbacks of evhttp's own bufferevent are exchanged for ours, or set as evhttp would.
///
/// - What it relies on: evhttp sets the callbacks anew whenever it begins to read or to write (`evhttp_start_read_` and
///   `evhttp_write_buffer`, http.c), and gives all of them its connection as their context. A call of the read callback that it
///   has put off goes to the callback that is set then, with that context (`evhttp_deferred_read_cb`); so ours for reading does
///   not use its context.
/// - What it gains: a refusal is answered without the body, which evhttp would read first; and an answer that the system takes
///   only in part (`ReplyEndWithoutStart`) is finished by evhttp. Not speed.
/// - The plain way: the callbacks that are exchanged are those of a bufferevent of our own, below the filter.
struct SwappedCallbacks {
    private let stream: OpaquePointer
    /// What evhttp gives its callbacks.
    private let context: OpaquePointer
    private let write: bufferevent_data_cb?
    private let event: bufferevent_event_cb?

    /// - Parameter context: evhttp's connection.
    init(of stream: OpaquePointer, context: OpaquePointer) {
        (self.stream, self.context) = (stream, context)
        var write: bufferevent_data_cb?
        var event: bufferevent_event_cb?
        bufferevent_getcb(stream, nil, &write, &event, nil)
        (self.write, self.event) = (write, event)
    }

    /// As evhttp sets them before it writes.
    func restoreForWriting() {
        bufferevent_setcb(stream, nil, write, event, UnsafeMutableRawPointer(context))
        bufferevent_enable(stream, ps_ev_read() | ps_ev_write())
    }
}
