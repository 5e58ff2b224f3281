internal import Glibc

/// Reads along, as a request's head comes in and before evhttp consumes it: how large it is, whether it is written as it should
/// be, and what it says about the body and the connection.
///
/// evhttp 2.1.12 shows a request only when its body is complete, by the first of several Content-Lengths; and what is over its
/// limits, or what it cannot read, it answers itself. So what has to be refused must be seen here.
struct HTTPHeadScan {
    /// The bytes of the lines that were scanned, line ends included.
    private(set) var bytes = 0
    private(set) var isComplete = false
    private(set) var requestLine = HTTPRequestLine()
    private(set) var evidence = FramingEvidence()
    private var lines = 0
    private var saved: [UInt8] = []

    /// Scans all complete lines up to the end of the head, and changes in place what evhttp would read otherwise. Returns how
    /// many bytes these are.
    mutating func scan(_ input: UnsafeMutableRawBufferPointer) -> Int {
        if lines == 0, input.first == HTTPSyntax.handshake { requestLine.reject(as: .tlsHandshake) }
        var start = 0
        while !isComplete, start < input.count, let base = input.baseAddress,
            let found = memchr(base + start, Int32(HTTPSyntax.lineFeed), input.count - start)
        {
            let end = UnsafeMutableRawPointer(found) - base
            // RFC 9112 §2.2 lets a server take LF alone for the end of a line, and a proxy may see no end there.
            let isStrict = end > start && input[end - 1] == HTTPSyntax.carriageReturn
            addLine(UnsafeMutableRawBufferPointer(rebasing: input[start..<(isStrict ? end - 1 : end)]), isStrict: isStrict)
            start = end + 1
        }
        bytes += start
        // Kept if it is not all there, or if the body's length is not known, so that the head may be needed when it is no longer
        // in the input.
        if !isComplete || !saved.isEmpty || evidence.hasTransferEncoding { saved.append(contentsOf: input[..<start]) }
        return start
    }

    private mutating func addLine(_ line: UnsafeMutableRawBufferPointer, isStrict: Bool) {
        lines += 1
        if lines == 1 {
            // It has been seen to be none before it had an end.
            if requestLine.fault != .ok { return }
            requestLine = HTTPRequestLine(line)
            if !isStrict { requestLine.reject() }
            return
        }
        if !isStrict { evidence.addMalformed() }
        guard !line.isEmpty else {
            isComplete = true
            return evidence.end(isHTTP11: requestLine.isHTTP11)
        }
        let (name, value) = splitHeader(UnsafeRawBufferPointer(line))
        evidence.add(name: name, value: value)
        // evhttp knows only blanks before a value.
        var index = name.count + 1
        while index < line.count, HTTPSyntax.isSpace(line[index]) {
            line[index] = HTTPSyntax.blank
            index += 1
        }
    }

    /// Whether the first line, or another, is not written as it should be: nothing that follows can mend it.
    var isMalformed: Bool { requestLine.fault != .ok || evidence.isMalformed }

    func framing(_ method: HTTPMethod) -> HTTPFraming {
        requestLine.fault == .ok ? evidence.verdict(method) : requestLine.fault
    }

    var isHTTP11: Bool { requestLine.isHTTP11 }

    /// Whether the connection goes on after an answer that says nothing of it, and the body's end is given by its length (if
    /// there is one).
    var isPlain: Bool { isHTTP11 && !evidence.hasConnectionOption && !evidence.hasTransferEncoding }

    /// A chunk of the body is none.
    mutating func rejectChunk() { evidence.addMalformedChunk() }

    /// What was scanned, taken apart. `input` is what the last `scan` has seen, for the head that came in one piece; before the
    /// first line is complete it is what has come of it.
    func head(
        lastInput input: UnsafeRawBufferPointer, of peer: SocketAddress?, _ forwarding: HTTPForwarding? = nil
    ) -> HTTPRequestHead {
        let length = evidence.hasTransferEncoding ? nil : evidence.announcedLength
        func head(_ lines: UnsafeRawBufferPointer) -> HTTPRequestHead {
            HTTPRequestHead(lines: lines[...], bodyLength: length, peer: peer, forwarding: forwarding)
        }
        return saved.isEmpty ? head(input) : saved.withUnsafeBytes { head($0) }
    }
}

/// A header line, taken apart: the white space around the value does not count (RFC 9112 §5). Without a colon there is no name.
func splitHeader(_ line: UnsafeRawBufferPointer) -> (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
    var (colon, start) = (0, 0)
    if let base = line.baseAddress, let found = memchr(base, Int32(UInt8(ascii: ":")), line.count) {
        colon = UnsafeRawPointer(found) - base
        start = colon + 1
    }
    var end = line.count
    while start < end, HTTPSyntax.isSpace(line[start]) { start += 1 }
    while end > start, HTTPSyntax.isSpace(line[end - 1]) { end -= 1 }
    return (UnsafeRawBufferPointer(rebasing: line[..<colon]), UnsafeRawBufferPointer(rebasing: line[start..<end]))
}
