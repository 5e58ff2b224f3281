internal import Glibc

/// Reads along, as a request's head comes in and before evhttp consumes it: how large it is, and what it says about the body.
///
/// evhttp 2.1.12 shows a request only when its body is complete, by the first of several Content-Lengths; and what is over its
/// limits it answers itself. So what has to be refused must be seen here.
struct HTTPHeadScan {
    /// The bytes of the lines that were scanned, line ends included.
    private(set) var bytes = 0
    private(set) var isComplete = false
    private(set) var evidence = FramingEvidence()
    private var isOrdinary = false
    /// The request line ends with HTTP/1.1.
    private(set) var isHTTP11 = false
    private var lines = 0
    private var saved: [UInt8] = []

    /// Scans all complete lines up to the end of the head. Returns how many bytes these are.
    mutating func scan(_ input: UnsafeRawBufferPointer) -> Int {
        var start = 0
        while !isComplete, start < input.count, let base = input.baseAddress,
            let end = memchr(base + start, 0x0a, input.count - start)
        {
            let next = UnsafeRawPointer(end) - UnsafeRawPointer(base) + 1
            // As evhttp reads lines: up to LF, or CR LF.
            let length = next - 1 > start && input[next - 2] == 0x0d ? next - 2 - start : next - 1 - start
            addLine(UnsafeRawBufferPointer(start: base + start, count: length))
            start = next
        }
        bytes += start
        if start > 0, let base = input.baseAddress, memchr(base, 0, start) != nil { evidence.addMalformed() }
        // Kept if it is not all there, or if the body's length is not known, so that the head may be needed when it is no longer
        // in the input.
        if !isComplete || !saved.isEmpty || evidence.hasTransferEncoding { saved.append(contentsOf: input[..<start]) }
        return start
    }

    private mutating func addLine(_ line: UnsafeRawBufferPointer) {
        lines += 1
        if lines == 1 {
            isHTTP11 = Self.endsWithHTTP11(line)
            isOrdinary = isHTTP11 && Self.hasPathAsTarget(line)
            return
        }
        guard let first = line.first else {
            isComplete = true
            return
        }
        if first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") { return evidence.addContinuation() }
        let (name, value) = splitHeader(line)
        evidence.add(name: name, value: value)
    }

    /// Whether the connection goes on after an answer that says nothing of it.
    var keepsAlive: Bool { isOrdinary && !evidence.hasConnectionOption }

    /// The same, and the body's end is given by its length (if there is one).
    var isPlain: Bool { keepsAlive && !evidence.hasTransferEncoding }

    private static func endsWithHTTP11(_ line: UnsafeRawBufferPointer) -> Bool {
        guard line.count > 8 else { return false }
        let version = UInt64(bigEndian: line.loadUnaligned(fromByteOffset: line.count - 8, as: UInt64.self))
        return version == 0x4854_5450_2f31_2e31  // "HTTP/1.1"
    }

    /// Where the target has a host, evhttp takes itself for a proxy, which has its own header for closing.
    private static func hasPathAsTarget(_ line: UnsafeRawBufferPointer) -> Bool {
        guard let space = line.firstIndex(of: UInt8(ascii: " ")), space + 1 < line.count else { return false }
        return line[space + 1] == UInt8(ascii: "/")
    }

    /// A chunk of the body is none.
    mutating func rejectTransferEncoding() { evidence.addUnsupportedEncoding() }

    /// What was scanned, taken apart. `input` is what the last `scan` has seen, for the head that came in one piece.
    func head(lastInput input: UnsafeRawBufferPointer, of peer: SocketAddress?) -> HTTPRequestHead {
        let length = evidence.hasTransferEncoding ? nil : evidence.announcedLength
        if saved.isEmpty { return HTTPRequestHead(lines: input.prefix(bytes), bodyLength: length, peer: peer) }
        return saved.withUnsafeBytes { HTTPRequestHead(lines: $0[...], bodyLength: length, peer: peer) }
    }
}

/// A header line as evhttp takes it apart: blanks before the value and white space after it do not count.
func splitHeader(_ line: UnsafeRawBufferPointer) -> (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
    guard let base = line.baseAddress, let found = memchr(base, Int32(UInt8(ascii: ":")), line.count) else {
        return (line, UnsafeRawBufferPointer(rebasing: line[line.count...]))
    }
    let colon = UnsafeRawPointer(found) - base
    var start = colon + 1
    var end = line.count
    while start < end, line[start] == UInt8(ascii: " ") { start += 1 }
    while end > start, line[end - 1] == UInt8(ascii: " ") || line[end - 1] == UInt8(ascii: "\t") { end -= 1 }
    return (UnsafeRawBufferPointer(rebasing: line[..<colon]), UnsafeRawBufferPointer(rebasing: line[start..<end]))
}
