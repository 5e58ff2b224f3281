import Testing

@testable import pspbench

@Suite("The mark in a payload")
struct MarkTests {
    private let mark = Mark(stream: .group, sequence: 42, sentAt: 1_795_548_838_402_608)

    @Test("it is text of one length, without anything that JSON escapes")
    func text() {
        #expect(mark.text == "psp@g0000000042@1795548838402608@")
        #expect(mark.text.utf8.count == Mark.count)
    }

    @Test("it is found in the middle of a payload, and read back")
    func readBack() {
        let payload = Array("{\"custom\":\"pspsp@ p \(mark.text)xxx\"}".utf8)
        payload.withUnsafeBytes { bytes in
            let offset = Mark.find(in: bytes, 0..<bytes.count)
            #expect(offset == 20)
            #expect(offset.flatMap { Mark(bytes, at: $0) } == mark)
        }
    }

    @Test(
        "what is cut off, misspelt or of no known stream is none",
        arguments: [
            "psp@g0000000042@179554883840260", "psp@g000000004x@1795548838402608@", "psp@x0000000042@1795548838402608@",
            "psp@g0000000042-1795548838402608@", "",
        ])
    func none(text: String) {
        Array(text.utf8).withUnsafeBytes { bytes in #expect(Mark(bytes, at: 0) == nil) }
    }
}
