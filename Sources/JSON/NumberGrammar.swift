/// The grammar of a number (RFC 8259 §6): `-? (0 | [1-9][0-9]*) (\.[0-9]+)? ([eE][+-]?[0-9]+)?`. The size does not matter here:
/// 2^64 and 1e400 are numbers.
enum NumberGrammar {
    static func accepts(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        let end = range.upperBound
        if index < end, bytes[index] == UInt8(ascii: "-") { index += 1 }
        let integer = skipDigits(bytes, &index, end)
        guard integer > 0, integer == 1 || bytes[index - integer] != UInt8(ascii: "0") else { return false }
        if index < end, bytes[index] == UInt8(ascii: ".") {
            index += 1
            guard skipDigits(bytes, &index, end) > 0 else { return false }
        }
        if index < end, bytes[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            if index < end, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") { index += 1 }
            guard skipDigits(bytes, &index, end) > 0 else { return false }
        }
        return index == end
    }

    private static func skipDigits(_ bytes: Span<UInt8>, _ index: inout Int, _ end: Int) -> Int {
        let start = index
        while index < end, bytes[index] >= UInt8(ascii: "0"), bytes[index] <= UInt8(ascii: "9") { index += 1 }
        return index - start
    }
}
