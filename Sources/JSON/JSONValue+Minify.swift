internal import CSimdjson

extension JSONValue {
    /// The value as it was sent, without insignificant white space. Order and duplicates of keys, escapes and the spelling of
    /// numbers stay as they are.
    public func minified() -> [UInt8] {
        minified(locating: self).bytes
    }

    /// Writes the value minified behind what is there: one copy less where it is the end of something.
    public func appendMinified(to bytes: inout [UInt8]) {
        if document.hasInsignificantWhiteSpace { bytes += minified() } else { bytes += raw }
    }

    /// The value minified, and where in it a value inside it lies: so both can be passed on from one copy.
    public func minified(locating inner: JSONValue) -> (bytes: [UInt8], inner: Range<Int>) {
        let outer = raw, part = inner.raw
        precondition(
            inner.document === document && outer.startIndex <= part.startIndex && part.endIndex <= outer.endIndex,
            "a value that lies elsewhere")
        guard document.hasInsignificantWhiteSpace else {
            return ([UInt8](outer), (part.startIndex - outer.startIndex)..<(part.endIndex - outer.startIndex))
        }
        // No end of the three pieces lies inside a string.
        var start = 0, end = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: outer.count + Int(CSIMDJSON_PADDING)) { destination, written in
            start = JSONValue.minify(outer[..<part.startIndex], into: destination, at: 0)
            end = JSONValue.minify(part, into: destination, at: start)
            written = JSONValue.minify(outer[part.endIndex...], into: destination, at: end)
        }
        return (bytes, start..<end)
    }

    /// Returns the offset after what was written. There is room: what is left of the text never grows.
    private static func minify(_ text: ArraySlice<UInt8>, into buffer: UnsafeMutableBufferPointer<UInt8>, at offset: Int) -> Int {
        var written = 0
        let result = text.withUnsafeBufferPointer {
            csimdjson_minify($0.baseAddress, $0.count, buffer.baseAddress.map { $0 + offset }, &written)
        }
        // It fails on an unclosed string only, and the document's check let none through.
        precondition(result == CSIMDJSON_SUCCESS, "simdjson could not minify a text that it had accepted")
        return offset + written
    }

    /// How many bytes Python's `json.dumps(value, ensure_ascii=False, separators=(",", ":"))` would write in UTF-8, if it kept
    /// numbers as sent and duplicate keys. So `\u4e2d` and `中` are both 3, `\/` is 1 and `\u0001` 6.
    public var measuredSize: Int {
        var size = 0
        let text = document.bytes
        let bytes = text.span
        for node in document.nodes[index..<Int(node.next)] {
            switch node.kind {
            case .object: size += 2 + Int(node.count) + max(0, Int(node.count) - 1)  // braces, colons, commas
            case .array: size += 2 + max(0, Int(node.count) - 1)
            case .string where node.hasEscapes:
                size += 2 + StringEscapes.measure(bytes, Int(node.start + 1)..<Int(node.end - 1))
            case .string, .number, .true, .false, .null: size += Int(node.end - node.start)
            }
        }
        return size
    }
}
