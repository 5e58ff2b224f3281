import Crypto
import Testing

@Suite("secrets")
struct SecretTests {
    @Test("equal is equal to the last byte")
    func constantTime() {
        #expect(ConstantTime.equal("", ""))
        #expect(ConstantTime.equal("secret", "secret"))
        for other in ["secreT", "Secret", "secre", "secrets", ""] { #expect(!ConstantTime.equal("secret", other)) }
        // The same character to a reader, other bytes to a machine.
        #expect(!ConstantTime.equal("\u{E9}", "e\u{301}"))
    }

    @Test("random bytes come in the number asked for and never twice")
    func random() {
        for count in [0, 1, 7, 8, 9, 16, 33] { #expect(Random.bytes(count).count == count) }
        #expect(Set((0..<1000).map { _ in Random.bytes(16) }).count == 1000)
        let secret = Random.secret()
        #expect(secret.utf8.count == 32)
        #expect(secret.allSatisfy { $0.isHexDigit && !$0.isUppercase })
    }

    @Test("a verifier accepts its secret and nothing else, and survives being kept")
    func verifier() {
        let secret = Array("correct horse".utf8)
        let verifier = SecretVerifier(secret: secret)
        #expect(verifier.salt.count == SecretVerifier.saltLength)
        #expect(verifier.digest == Digest.sha256.hash(verifier.salt + secret))
        #expect(verifier.accepts(secret))
        #expect(SecretVerifier(salt: verifier.salt, digest: verifier.digest).accepts(secret))
        for other in [[], Array("correct hors".utf8), Array("correct horse ".utf8), verifier.salt + secret] {
            #expect(!verifier.accepts(other))
        }
        #expect(SecretVerifier(secret: secret).digest != verifier.digest)
    }

    @Test("threads may hash at once")
    func threads() async {
        await withTaskGroup(of: Bool.self) { group in
            for index in 0..<8 {
                group.addTask {
                    let expected = Digest.md5.hash("\(index)")
                    return (0..<1000).allSatisfy { _ in Digest.md5.hash("\(index)") == expected }
                }
            }
            for await same in group { #expect(same) }
        }
    }
}
