internal import CLibevent
internal import Glibc

/// A connection of an `HTTPServer`: what evhttp does not keep for us. Lives in the server's table until evhttp closes the
/// connection.
final class HTTPConnection {
    enum State {
        /// Between two requests.
        case idle
        /// Some of a request has come.
        case arriving
        /// A handler has the request.
        case waiting
        /// The answer is on its way.
        case answering
        /// The answer's body comes piece by piece.
        case streaming
        /// Taken from evhttp: a refusal is on its way, and what else comes is dropped.
        case refused
    }

    /// What evhttp does not offer, in one of two ways.
    let link: any HTTPLink
    /// The bufferevent that evhttp reads from and writes to, and owns.
    let stream: OpaquePointer
    /// Its place in the wheel of deadlines.
    let slot: Int
    private(set) lazy var address = SocketAddress(peerOf: link.transport.descriptor)
    // Safe: the service clears it when it dies, and the connection itself when it closes. (A weak reference would slow down every
    // use of the service.)
    unowned(unsafe) var service: HTTPService?
    /// The request that a handler has.
    var pending: PendingRequest?
    /// The answer that is being streamed, or whose end is on its way.
    var streamedReply: StreamedReply?
    var closesAfterAnswer = false
    var state = State.idle
    /// How it was admitted; see `HTTPCrowd`.
    var admission = HTTPAdmission.unasked
    /// It came when there was no room for it, and is only answered that.
    var isSurplus = false
    /// When it last became idle, its request began, or its answer or a further part of that, by the loop's clock.
    var since: Int64
    /// How far a body or an answer had come when its time last began: the bytes that were there, or that were still to be read.
    var progressMark = 0
    /// Its time was over, and something had come that nobody had read.
    var hasBeenLate = false

    private(set) var inputWatch: OpaquePointer?
    /// The request that is coming, as it is read along.
    var arrival = HTTPArrival()
    /// The refusal has been written, or the peer's end of the stream read: what is left of the way to the end.
    var isRefusalWritten = false
    var isInputEnded = false

    init(_ link: any HTTPLink, slot: Int, service: HTTPService) {
        self.link = link
        self.stream = link.stream
        self.slot = slot
        self.service = service
        since = service.loop.monotonicNow
        link.connection = self
        inputWatch = evbuffer_add_cb(
            input,
            { _, change, context in
                if let change {
                    HTTPConnection.from(context)?.inputDidChange(added: change.pointee.n_added, removed: change.pointee.n_deleted)
                }
            }, Unmanaged.passUnretained(self).toOpaque())
        LiveObjects.count(of: HTTPConnection.self, by: 1)
    }

    deinit { LiveObjects.count(of: HTTPConnection.self, by: -1) }

    func stopWatchingInput() {
        if let inputWatch { evbuffer_remove_cb_entry(input, inputWatch) }
        inputWatch = nil
    }

    // Unretained: the server's table holds the connection until `willClose`, after which evhttp does not call.
    static func from(_ context: UnsafeMutableRawPointer?) -> HTTPConnection? {
        context.map { Unmanaged<HTTPConnection>.fromOpaque($0).takeUnretainedValue() }
    }

    var input: OpaquePointer? { bufferevent_get_input(stream) }

    var isDraining: Bool { service?.isDraining != false }

    var date: String { service?.date ?? "" }

    /// Whether nothing of a request is here or in the system's buffer: it can be closed without harm.
    var isQuiet: Bool {
        let transport = link.transport
        return state == .idle && evbuffer_get_length(input) == 0 && evbuffer_get_length(transport.input) == 0
            && !transport.hasUnreadInput
    }

    // MARK: What an exchange is told

    func takeAdmission() -> AnyObject? {
        defer { arrival.admission = nil }
        return arrival.admission
    }

    var isHeadComplete: Bool { arrival.scan.isComplete }

    var remainsSurplus: Bool { service?.crowd.remainsSurplus(self) == true }

    var headerBytes: Int {
        arrival.scan.isComplete ? arrival.scan.bytes : max(arrival.scan.bytes, arrival.received)
    }

    var refusedBodyBytes: Int {
        arrival.scan.isComplete ? max(arrival.scan.evidence.announcedLength, arrival.chunks.announced) : 0
    }

    func framing(_ method: HTTPMethod) -> HTTPFraming { arrival.scan.framing(method) }

    /// Whether the connection ends with the next answer, whatever that says.
    var closesNext: Bool { arrival.scan.evidence.closes || isDraining }
}
