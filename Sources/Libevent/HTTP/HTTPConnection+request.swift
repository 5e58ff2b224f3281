internal import CLibevent
internal import Glibc

/// A request that is coming in, as it is read along before evhttp looks at it.
struct HTTPArrival {
    var scan = HTTPHeadScan()
    /// How many bytes at the beginning of the input the scan has seen; evhttp has still to consume them.
    var scanned = 0
    /// How many bytes have come since the request began.
    var received = 0
    /// How many empty lines have come before it.
    var emptyLines = 0
    var chunks = HTTPChunkScan()
    /// How many bytes of body its chunks may announce.
    var bodyLimit = 0
    /// The judge knows nothing of the peer.
    var isOfStranger = false
    /// What the judge has found out about it.
    var admission: AnyObject?

    /// Some clients send an empty line behind a body (RFC 9112 §2.2).
    static let maxEmptyLines = 4

    /// The next request begins.
    mutating func begin() {
        scan = HTTPHeadScan()
        scanned = 0
        chunks = HTTPChunkScan()
        isOfStranger = false
    }
}

// A request comes in: read along, judged, and taken from evhttp where it must be refused.

extension HTTPConnection {
    /// Called before evhttp looks at what has come, and after it has taken something.
    func inputDidChange(added: Int, removed: Int) {
        arrival.scanned = max(0, arrival.scanned - removed)
        guard added > 0 else { return }
        switch state {
        case .idle:
            begin()
            arrival.received = added
        case .arriving: arrival.received += added
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

    func begin() {
        state = .arriving
        arrival.begin()
        hasBeenLate = false
        guard let service else { return }
        since = service.loop.monotonicNow
        service.limitTransferTime(of: self)
    }

    /// Looks at what has come, before evhttp does.
    func readAlong(_ added: Int) {
        guard let service else { return }
        if arrival.scan.isComplete { return countChunks(added) }
        if arrival.scan.bytes == 0 && !dropEmptyLines() { return }
        withUnscanned { arrival.scanned += arrival.scan.scan($0) }
        if arrival.scan.isComplete {
            didReadHead(service)
        } else if arrival.scan.isMalformed || arrival.received > service.limits.maxHeaderBytes {
            refuse(head())
        }
    }

    /// Drops empty lines that come before a request. Returns whether there is anything else.
    private func dropEmptyLines() -> Bool {
        while arrival.received >= 2, arrival.emptyLines < HTTPArrival.maxEmptyLines, let start = evbuffer_pullup(input, 2),
            start[0] == HTTPSyntax.carriageReturn, start[1] == HTTPSyntax.lineFeed
        {
            arrival.emptyLines += 1
            arrival.received -= 2
            evbuffer_drain(input, 2)
        }
        if arrival.received > 0 { return true }
        state = .idle
        service?.limitIdleTime(of: self)
        return false
    }

    /// Refuses what must be, and asks the judge where the body has still to come. A request that is complete and in order goes
    /// on, whatever its size: its handler sees that.
    private func didReadHead(_ service: HTTPService) {
        arrival.emptyLines = 0
        let evidence = arrival.scan.evidence
        guard arrival.scan.framing(.post) == .ok else { return refuse(head()) }
        if !evidence.hasTransferEncoding, arrival.received >= arrival.scan.bytes + evidence.announcedLength {
            return watchInput(false)
        }
        let head = head()
        if service.crowd.remainsSurplus(self) { return refuse(head) }
        // Before the judge, so that a body which is too large by what has come with its head is known to be.
        arrival.chunks = HTTPChunkScan()
        if evidence.hasTransferEncoding { scanChunks(evbuffer_get_length(input) - arrival.scanned) }
        guard arrival.scan.bytes <= service.limits.maxHeaderBytes, evidence.announcedLength <= service.limits.maxBodyBytes,
            arrival.scan.framing(head.method) == .ok,
            case .accept(let limit, let isStranger, let admission) = service.judge(head),
            evidence.announcedLength <= limit
        else { return refuse(head) }
        arrival.admission = admission
        arrival.isOfStranger = isStranger
        // The head is done in time; now the body's begins.
        progressMark = 0
        service.limitTransferTime(of: self)
        guard evidence.hasTransferEncoding else { return watchInput(false) }
        arrival.bodyLimit = min(limit, service.limits.maxBodyBytes)
        refuseIfTooLarge()
    }

    /// Refuses a chunked body as soon as it is larger than it may be.
    private func countChunks(_ added: Int) {
        scanChunks(added)
        refuseIfTooLarge()
    }

    private func scanChunks(_ added: Int) {
        forEachPiece(ofLast: added) { arrival.chunks.scan($0) }
        if arrival.chunks.isMalformed { arrival.scan.rejectChunk() }
    }

    private func refuseIfTooLarge() {
        if arrival.chunks.isMalformed || arrival.chunks.announced > arrival.bodyLimit { refuse(head()) }
    }

    private func withUnscanned(_ body: (UnsafeMutableRawBufferPointer) -> Void) {
        let count = evbuffer_get_length(input)
        guard count > arrival.scanned, let start = evbuffer_pullup(input, -1) else { return }
        body(UnsafeMutableRawBufferPointer(start: start + arrival.scanned, count: count - arrival.scanned))
    }

    private func head() -> HTTPRequestHead {
        let length = evbuffer_get_length(input)
        // What has come of the first line, while it is not complete.
        let count = arrival.scan.bytes == 0 ? length : arrival.scan.bytes <= length ? arrival.scan.bytes : 0
        let start = evbuffer_pullup(input, count)
        let bytes = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)
        return arrival.scan.head(lastInput: bytes, of: address, service?.forwarding)
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
}
