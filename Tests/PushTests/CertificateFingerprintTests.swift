import Push
import Testing

@Suite("A certificate's fingerprint")
struct CertificateFingerprintTests {
    private let digits = String(repeating: "0aF9", count: 16)

    @Test("is read in either case, with colons and without, and told in lower case")
    func reading() {
        let colons = String(repeating: "0A:f9:", count: 16).dropLast()
        #expect(CertificateFingerprint(digits)?.text == digits.lowercased())
        #expect(CertificateFingerprint(String(colons)) == CertificateFingerprint(digits))
    }

    @Test("has 32 bytes, in digits", arguments: ["", "0a", String(repeating: "0", count: 63), String(repeating: "g", count: 64)])
    func malformed(_ text: String) {
        #expect(CertificateFingerprint(text) == nil)
    }

    @Test("is a field of a device that null clears")
    func field() throws {
        #expect(try DirectoryDecoder.device(Array("{}".utf8)).certificate == .keep)
        #expect(try DirectoryDecoder.device(Array(#"{"certificate_sha256": null}"#.utf8)).certificate == .clear)
        let body = "{\"certificate_sha256\": \"\(digits)\"}"
        let fingerprint = try #require(CertificateFingerprint(digits))
        #expect(try DirectoryDecoder.device(Array(body.utf8)).certificate == .set(fingerprint))
        #expect(throws: Refusal.self) { try DirectoryDecoder.device(Array(#"{"certificate_sha256": "00"}"#.utf8)) }
    }
}
