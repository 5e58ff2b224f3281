import Testing

@testable import Libevent

@Suite("Eight bytes at once")
struct ByteWordTests {
    @Test("every byte at every place is told as it is told alone")
    func everyByte() {
        for byte in UInt8.min...UInt8.max {
            let isLetter = byte == UInt8(ascii: "-") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            for place in 0..<8 {
                var bytes = Array("Content-".utf8)
                bytes[place] = byte
                bytes.withUnsafeBytes {
                    let word = ByteWord($0, at: 0)
                    #expect(word.isLettersAndHyphens == isLetter, "\(byte) at \(place)")
                    #expect(word.hasControl == HTTPSyntax.isControl(byte), "\(byte) at \(place)")
                }
            }
        }
    }

    @Test("names and values are judged alike wherever the strange byte stands")
    func longTexts() {
        for place in 0..<20 {
            var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 20)
            for (byte, isToken, isValue) in [
                (UInt8(ascii: "_"), true, true), (UInt8(ascii: ":"), false, true), (9, false, true), (1, false, false),
                (0x7f, false, false), (0xff, false, true),
            ] {
                bytes[place] = byte
                bytes.withUnsafeBytes {
                    #expect(HTTPSyntax.isToken($0) == isToken)
                    #expect(HTTPSyntax.isFieldValue($0) == isValue)
                }
            }
        }
    }
}
