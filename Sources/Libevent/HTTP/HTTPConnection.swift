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
    private(set) var streamedReply: StreamedReply?
    var state = State.idle
    /// It came when there was no room for it, and is only answered that.
    var isSurplus = false
    /// When it last became idle, its request began, or its answer or a further part of that, by the loop's clock.
    private(set) var since: Int64

    private var inputWatch: OpaquePointer?
    private(set) var scan = HTTPHeadScan()
    /// How many bytes at the beginning of the input the scan has seen; evhttp has still to consume them.
    private var scanned = 0
    /// How many bytes have come since the request began.
    private var received = 0
    /// How many empty lines have come before it.
    private var emptyLines = 0
    private var chunks = HTTPChunkScan()
    /// How many bytes of body its chunks may announce.
    private var bodyLimit = 0
    /// What the judge has found out about the request that is coming.
    private var admission: AnyObject?
    private var closesAfterAnswer = false
    /// How far a body or an answer had come when its time last began: the bytes that were there, or that were still to be read.
    private var progressMark = 0
    /// Its time was over, and something had come that nobody had read.
    private var hasBeenLate = false
    /// The refusal has been written, or the peer's end of the stream read: what is left of the way to the end.
    var isRefusalWritten = false
    var isInputEnded = false

    /// How much input is read ahead while an answer is streamed: evhttp reads on without a bound.
    private static let readAhead = 4096
    /// What is taken in before a close: closing with input unread would reset the connection, and might destroy the answer.
    private static let readBeforeClose = 1024 * 1024
    /// Some clients send an empty line behind a body (RFC 9112 §2.2).
    private static let maxEmptyLines = 4

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

    // MARK: A request's life

    /// Called before evhttp looks at what has come, and after it has taken something.
    private func inputDidChange(added: Int, removed: Int) {
        scanned = max(0, scanned - removed)
        guard added > 0 else { return }
        switch state {
        case .idle:
            begin()
            received = added
        case .arriving: received += added
        case .refused: return dropInput()
        case .waiting, .answering, .streaming: return
        }
        readAlong(added)
    }

    /// evhttp takes a request line by line, and tells of each. Nothing of it matters when all of the request is there and in
    /// order.
    func watchInput(_ isWatched: Bool) {
        if isWatched {
            evbuffer_cb_set_flags(input, inputWatch, UInt32(EVBUFFER_CB_ENABLED))
        } else {
            evbuffer_cb_clear_flags(input, inputWatch, UInt32(EVBUFFER_CB_ENABLED))
        }
    }

    private func begin() {
        state = .arriving
        scan = HTTPHeadScan()
        scanned = 0
        chunks = HTTPChunkScan()
        hasBeenLate = false
        guard let service else { return }
        since = service.loop.monotonicNow
        service.limitTransferTime(of: self)
    }

    /// Looks at what has come, before evhttp does.
    private func readAlong(_ added: Int) {
        guard let service else { return }
        if scan.isComplete { return countChunks(added) }
        if scan.bytes == 0 && !dropEmptyLines() { return }
        withUnscanned { scanned += scan.scan($0) }
        if scan.isComplete {
            didReadHead(service)
        } else if scan.isMalformed || received > service.limits.maxHeaderBytes {
            refuse(head())
        }
    }

    /// Drops empty lines that come before a request. Returns whether there is anything else.
    private func dropEmptyLines() -> Bool {
        while received >= 2, emptyLines < Self.maxEmptyLines, let start = evbuffer_pullup(input, 2),
            start[0] == HTTPSyntax.carriageReturn, start[1] == HTTPSyntax.lineFeed
        {
            emptyLines += 1
            received -= 2
            evbuffer_drain(input, 2)
        }
        if received > 0 { return true }
        state = .idle
        service?.limitIdleTime(of: self)
        return false
    }

    /// Refuses what must be, and asks the judge where the body has still to come. A request that is complete and in order goes
    /// on, whatever its size: its handler sees that.
    private func didReadHead(_ service: HTTPService) {
        emptyLines = 0
        let evidence = scan.evidence
        guard scan.framing(.post) == .ok else { return refuse(head()) }
        if !evidence.hasTransferEncoding, received >= scan.bytes + evidence.announcedLength { return watchInput(false) }
        let head = head()
        if service.crowd.remainsSurplus(self) { return refuse(head) }
        // Before the judge, so that a body which is too large by what has come with its head is known to be.
        chunks = HTTPChunkScan()
        if evidence.hasTransferEncoding { scanChunks(evbuffer_get_length(input) - scanned) }
        guard scan.bytes <= service.limits.maxHeaderBytes, evidence.announcedLength <= service.limits.maxBodyBytes,
            scan.framing(head.method) == .ok, case .accept(let limit, let admission) = service.judge(head),
            evidence.announcedLength <= limit
        else { return refuse(head) }
        self.admission = admission
        // The head is done in time; now the body's begins.
        progressMark = 0
        service.limitTransferTime(of: self)
        guard evidence.hasTransferEncoding else { return watchInput(false) }
        bodyLimit = min(limit, service.limits.maxBodyBytes)
        refuseIfTooLarge()
    }

    /// Refuses a chunked body as soon as it is larger than it may be.
    private func countChunks(_ added: Int) {
        scanChunks(added)
        refuseIfTooLarge()
    }

    private func scanChunks(_ added: Int) {
        forEachPiece(ofLast: added) { chunks.scan($0) }
        if chunks.isMalformed { scan.rejectChunk() }
    }

    private func refuseIfTooLarge() {
        if chunks.isMalformed || chunks.announced > bodyLimit { refuse(head()) }
    }

    private func withUnscanned(_ body: (UnsafeMutableRawBufferPointer) -> Void) {
        let count = evbuffer_get_length(input)
        guard count > scanned, let start = evbuffer_pullup(input, -1) else { return }
        body(UnsafeMutableRawBufferPointer(start: start + scanned, count: count - scanned))
    }

    private func head() -> HTTPRequestHead {
        let length = evbuffer_get_length(input)
        // What has come of the first line, while it is not complete.
        let count = scan.bytes == 0 ? length : scan.bytes <= length ? scan.bytes : 0
        let start = evbuffer_pullup(input, count)
        return scan.head(lastInput: UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count), of: address)
    }

    /// Calls `body` with the last bytes of the input, as they lie in memory.
    private func forEachPiece(ofLast count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
        guard count > 0 else { return }
        var position = evbuffer_ptr()
        evbuffer_ptr_set(input, &position, evbuffer_get_length(input) - count, EVBUFFER_PTR_SET)
        let pieces = Int(evbuffer_peek(input, count, &position, nil, 0))
        withUnsafeTemporaryAllocation(of: iovec.self, capacity: pieces) { vectors in
            evbuffer_peek(input, count, &position, vectors.baseAddress, Int32(pieces))
            // The last piece goes on to the end of its memory.
            var left = count
            for vector in vectors where left > 0 {
                body(UnsafeMutableRawBufferPointer(start: vector.iov_base, count: min(left, vector.iov_len)))
                left -= vector.iov_len
            }
        }
    }

    // What the exchange is told.

    func takeAdmission() -> AnyObject? {
        defer { admission = nil }
        return admission
    }

    var isHeadComplete: Bool { scan.isComplete }

    var remainsSurplus: Bool { service?.crowd.remainsSurplus(self) == true }

    var headerBytes: Int { scan.isComplete ? scan.bytes : max(scan.bytes, received) }

    var refusedBodyBytes: Int { scan.isComplete ? max(scan.evidence.announcedLength, chunks.announced) : 0 }

    func framing(_ method: HTTPMethod) -> HTTPFraming { scan.framing(method) }

    /// Whether the connection ends with the next answer, whatever that says.
    var closesNext: Bool { scan.evidence.closes || isDraining }

    /// The request is complete: its handler's time is not limited here.
    func didArrive(_ request: OpaquePointer) {
        link.didArrive(request)
        state = .waiting
        service?.limitNoTime(of: self)
    }

    /// The answer, of so many bytes, goes to evhttp; the peer has to read it in time.
    func willAnswer(_ request: OpaquePointer, count: Int, closing: Bool) {
        state = .answering
        closesAfterAnswer = closing
        beginTransfer(of: count)
        // Unretained: evhttp calls it before it closes the connection or takes the next request from it.
        evhttp_request_set_on_complete_cb(
            request, { _, context in HTTPConnection.from(context)?.didAnswer() }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func beginTransfer(of count: Int) {
        progressMark = count
        guard let service else { return }
        since = service.loop.monotonicNow
        service.limitTransferTime(of: self)
    }

    /// The answer has been written past evhttp, all of it.
    func didAnswerAtOnce() {
        becomeIdle()
        link.becameIdle()
        watchInput(true)
    }

    private func becomeIdle() {
        state = .idle
        pending = nil
        guard let service else { return }
        since = service.loop.monotonicNow
        service.limitIdleTime(of: self)
    }

    private func didAnswer() {
        guard let service else { return }
        streamedReply = nil
        if closesAfterAnswer { return willCloseAfterAnswer() }
        becomeIdle()
        bufferevent_setwatermark(stream, ps_ev_read(), 0, 0)
        link.transport.recoverDecryptedInput()
        link.becameIdle()
        watchInput(true)
        let count = evbuffer_get_length(input)
        if count > 0 {
            // A request that was sent ahead.
            begin()
            received = count
            readAlong(count)
        }
        service.didBecomeIdle()
    }

    /// evhttp closes now by itself, except where a stream had begun before the server drained: then it goes on to read requests,
    /// and there must be none.
    private func willCloseAfterAnswer() {
        state = .refused
        dropInput()
        link.transport.discardInput(upTo: Self.readBeforeClose)
        service?.loop.afterCallback { [weak self] in self?.close() }
    }

    // MARK: Streams

    /// The answer's first piece goes to evhttp; until the last there is no time limit.
    func willStream(_ reply: StreamedReply) {
        streamedReply = reply
        state = .streaming
        bufferevent_setwatermark(stream, ps_ev_read(), 0, Self.readAhead)
    }

    /// The last piece goes to evhttp; from now on it is an answer like any other.
    func willEndStream(_ request: OpaquePointer) {
        willAnswer(request, count: link.unsentCount, closing: closesNext || !scan.isHTTP11)
        link.endReply(request)
    }

    // MARK: Deadlines

    /// Its time is over, unless the peer has kept to it and nobody has looked yet.
    func deadlineHasCome() {
        if state == .idle, service?.limitRestOfIdleTime(of: self) == true { return }
        if isInTime() { return service?.limitTransferTime(of: self) ?? () }
        // The loop may be late, and not the peer: it looks once at what is in the socket by now.
        if state == .arriving, !hasBeenLate, link.transport.hasUnreadInput {
            hasBeenLate = true
            service?.limitLateTime(of: self)
        } else {
            close()
        }
    }

    private func isInTime() -> Bool {
        switch state {
        // A request that has come, or is about to be read. Who closes now would drop it (RFC 9112 §9.5).
        case .idle: return link.transport.isEstablished && !isQuiet
        case .arriving where scan.isComplete:
            let count = scan.evidence.hasTransferEncoding ? received : evbuffer_get_length(input)
            return hasProgressed(by: count - progressMark, to: count)
        case .answering:
            let (count, read) = (link.unsentCount, progressMark - link.unsentCount)
            guard read >= HTTPLimits.progressBytes else { return false }
            beginTransfer(of: count)
            return true
        case .arriving, .refused: return false
        // Neither has a deadline.
        case .waiting, .streaming: return true
        }
    }

    /// Whether the peer has had a second to read, and reads less than 64 KiB a second: the first to go from a full server.
    /// Elsewhere it has far longer.
    func isSlowReader(at now: Int64) -> Bool {
        let seconds = (now - since) / 1_000_000_000
        return seconds >= 1 && progressMark - link.unsentCount < HTTPLimits.progressBytes * Int(seconds)
    }

    private func hasProgressed(by count: Int, to mark: Int) -> Bool {
        progressMark = mark
        return count >= HTTPLimits.progressBytes
    }

    // MARK: The end

    /// Closes the connection. Not from inside one of evhttp's callbacks for it.
    func close() {
        if service != nil { link.close() }
    }

    /// Again: no effect.
    func willClose() {
        guard link.connection != nil else { return }
        if let inputWatch { evbuffer_remove_cb_entry(input, inputWatch) }
        inputWatch = nil
        pending?.connectionWillClose()
        pending = nil
        streamedReply?.connectionWillClose()
        streamedReply = nil
        endSecurity()
        link.didClose()
        let service = service
        self.service = nil
        service?.didClose(self)
    }

    private func endSecurity() {
        let transport = link.transport
        guard transport.isEncrypted else { return }
        guard let failure = transport.takeFailure() else { return transport.sayGoodbye() }
        if failure.isPlainHTTP { transport.refusePlainHTTP() }
        service?.onInsecure?(failure, address)
    }
}
