@testable import Libevent

/// The head of a request, as it is read along before evhttp.
enum HeadTarget {
    private struct Result: Equatable {
        var read: Int
        var isComplete: Bool
        var framings: [HTTPFraming]
        var head: String
        /// What evhttp gets.
        var bytes: [UInt8]
    }

    static func attempt(_ input: Input) -> CInt {
        let whole = scan(input) { $0(input.bytes.count) }
        let cut = scan(input, by: input.forEachEnd)
        // What was malformed was not read on.
        if whole.framings.first == .ok || cut.isComplete { require(cut == whole, "in pieces \(cut), whole \(whole)") }
        if whole.isComplete, whole.framings.first == .ok { requireOneReading(of: whole.bytes.prefix(whole.read)) }
        return 0
    }

    private static func scan(_ input: Input, by forEachEnd: ((Int) -> Void) -> Void) -> Result {
        var bytes = input.bytes
        var (scan, read) = (HTTPHeadScan(), 0)
        forEachEnd { end in
            if scan.isComplete { return }
            bytes.withUnsafeMutableBytes { read += scan.scan(.init(rebasing: $0[read..<end])) }
        }
        require(read == scan.bytes && read <= bytes.count, "\(read) of \(scan.bytes) bytes")
        let head = bytes.withUnsafeBytes { scan.head(lastInput: .init(rebasing: $0[..<read]), of: nil) }
        return Result(
            read: read, isComplete: scan.isComplete, framings: [.post, .get].map(scan.framing),
            head: "\(head.method) \(head.rawTarget) \(head.headers) \(head.bodyLength ?? -1) \(scan.evidence.closes)",
            bytes: bytes)
    }

    /// What passes has one reading only, however loose the reader.
    private static func requireOneReading(of head: ArraySlice<UInt8>) {
        let lines = head.split(separator: 10, omittingEmptySubsequences: false)
        require(lines.dropLast().allSatisfy { $0.last == 13 } && lines.last?.isEmpty == true, "a line without CR LF")
        for line in lines.dropLast() {
            require(!line.dropLast().contains { $0 < 0x20 && $0 != 9 || $0 == 0x7f }, "a control character")
        }
        let first = String(decoding: lines[0].dropLast(), as: UTF8.self)
        // By scalars: a path may begin with an accent that belongs to the slash.
        let form = #/[!#$%&'*+.^_`|~0-9A-Za-z-]+ (/|\*)[^ ]* HTTP/1\.[01] */#.matchingSemantics(.unicodeScalar)
        require(first.wholeMatch(of: form) != nil, "a first line: \(first)")
        let names = lines[1...].dropLast(2).map { String(decoding: $0.prefix { $0 != 58 }, as: UTF8.self).lowercased() }
        require(names.allSatisfy { !$0.isEmpty && !$0.contains(#/[\s]/#) }, "a name in \(names)")
        for name in ["host", "content-length", "transfer-encoding"] {
            require(names.filter { $0 == name }.count <= 1, "\(name) twice")
        }
        require(!(names.contains("content-length") && names.contains("transfer-encoding")), "two lengths")
    }
}
