@testable import Libevent

/// A body in chunks, as it is read along before evhttp.
enum ChunkTarget {
    static func attempt(_ input: Input) -> CInt {
        let (whole, bytes) = scan(input) { $0(input.bytes.count) }
        let (cut, cutBytes) = scan(input, by: input.forEachEnd)
        require(whole.isMalformed == cut.isMalformed, "malformed in pieces or whole only")
        guard !whole.isMalformed else { return 0 }
        require(whole.isComplete == cut.isComplete && whole.announced == cut.announced, "in pieces \(cut), whole \(whole)")
        require(bytes == cutBytes, "changed otherwise in pieces")
        guard whole.isComplete else { return 0 }
        // A strict reader of what came, and a loose one of what evhttp gets.
        let (strict, rest) = strictBody(of: input.bytes[...])
        let (loose, looseRest, names) = looseBody(of: bytes[...])
        require(strict == loose && strict.count == whole.announced, "\(strict) is \(loose) to a loose reader")
        require(rest.count == looseRest.count, "another end: \(rest.count) or \(looseRest.count) bytes are the next request")
        require(names.allSatisfy(\.isEmpty), "a trailer became a header: \(names)")
        return 0
    }

    private static func scan(_ input: Input, by forEachEnd: ((Int) -> Void) -> Void) -> (HTTPChunkScan, [UInt8]) {
        var bytes = input.bytes
        var (scan, start) = (HTTPChunkScan(), 0)
        forEachEnd { end in
            bytes.withUnsafeMutableBytes { scan.scan(.init(rebasing: $0[start..<end])) }
            start = end
        }
        return (scan, bytes)
    }

    /// Up to CR LF, whatever stands there.
    private static func line(_ bytes: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let end = bytes.indices.first { bytes[$0...].starts(with: [13, 10]) } ?? bytes.endIndex
        defer { bytes = bytes[min(bytes.endIndex, end + 2)...] }
        return bytes[..<end]
    }

    private static func strictBody(of bytes: ArraySlice<UInt8>) -> (body: [UInt8], rest: ArraySlice<UInt8>) {
        var (bytes, body) = (bytes, [UInt8]())
        while true {
            let digits = line(&bytes).prefix { Character(Unicode.Scalar($0)).isHexDigit }
            guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16) else { fatalError("a size of no digits") }
            if size == 0 { break }
            body += bytes.prefix(size)
            bytes = bytes.dropFirst(size)
            require(line(&bytes).isEmpty, "something between data and line end")
        }
        while !line(&bytes).isEmpty {}
        return (body, bytes)
    }

    /// As evhttp reads: lines end with LF, empty ones before a size are passed over, a blank ends the size.
    private static func looseBody(
        of bytes: ArraySlice<UInt8>
    ) -> (body: [UInt8], rest: ArraySlice<UInt8>, trailers: [String]) {
        var (bytes, body) = (bytes, [UInt8]())
        func line() -> ArraySlice<UInt8> {
            let end = bytes.firstIndex(of: 10) ?? bytes.endIndex
            defer { bytes = bytes[min(bytes.endIndex, end + 1)...] }
            return bytes[..<end].last == 13 ? bytes[..<(end - 1)] : bytes[..<end]
        }
        while true {
            let first = line()
            if first.isEmpty { continue }
            guard let size = Int(String(decoding: first.prefix { $0 != 32 }, as: UTF8.self), radix: 16) else {
                fatalError("evhttp refuses \(first)")
            }
            if size == 0 { break }
            body += bytes.prefix(size)
            bytes = bytes.dropFirst(size)
        }
        var trailers: [String] = []
        while case let trailer = line(), !trailer.isEmpty {
            trailers.append(String(decoding: trailer.prefix { $0 != 58 }, as: UTF8.self))
        }
        return (body, bytes, trailers)
    }
}
