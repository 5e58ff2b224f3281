/// Bytes as a test writes them: hexadecimal digits, blanks as one likes, text in quotes: `"30 05 0003 'a/b'"`.
func bytes(_ notation: String) -> [UInt8] {
    var result: [UInt8] = []
    var high: UInt8?
    var isQuoted = false
    for character in notation {
        if character == "'" {
            isQuoted.toggle()
        } else if isQuoted {
            result.append(contentsOf: character.utf8)
        } else if let digit = character.hexDigitValue.map(UInt8.init) {
            if let first = high {
                result.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        } else {
            precondition(character == " ", "neither a digit nor a blank: \(character)")
        }
    }
    precondition(high == nil && !isQuoted, "half a byte, or an open quote")
    return result
}

/// Bytes as `bytes(_:)` reads them.
func notation(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
}
