import Base
import Crypto
import Testing

@Suite("passwords")
struct PasswordTests {
    @Test("the hash is scrypt's")
    func vector() throws {
        // RFC 7914 §12, the second of its vectors, of which a verifier keeps the first 32 bytes.
        let cost = try #require(PasswordVerifier.Cost(logN: 10, r: 8, p: 16))
        let hash = try #require(Hex.decode("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162".utf8))
        let verifier = PasswordVerifier(cost: cost, salt: Array("NaCl".utf8), hash: hash)
        #expect(verifier.accepts(Array("password".utf8)) == true)
        for other in ["", "passwor", "Password", "password "] { #expect(verifier.accepts(Array(other.utf8)) == false) }
    }

    @Test("a verifier accepts its password, also none, and survives being kept")
    func kept() throws {
        // (A byte of zero at its end does not count: HMAC fills its key up with them, RFC 2104 §2.)
        let cost = try #require(PasswordVerifier.Cost(logN: 4, r: 1, p: 1))
        for password in ["", "correct horse battery staple", "密码", "a\0b"] {
            let bytes = Array(password.utf8)
            let verifier = try #require(PasswordVerifier(password: bytes, cost: cost))
            #expect(verifier.salt.count == 16)
            #expect(verifier.accepts(bytes) == true && verifier.accepts(bytes + [1]) == false)
            #expect(PasswordVerifier(verifier.text) == verifier)
            #expect(PasswordVerifier(password: bytes, cost: cost) != verifier)
        }
    }

    @Test("the usual cost is one that libcrypto takes")
    func usual() throws {
        let verifier = try #require(PasswordVerifier(password: Array("p".utf8)))
        #expect(verifier.text.hasPrefix("scrypt:15:8:3:"))
        #expect(verifier.accepts(Array("p".utf8)) == true)
    }

    @Test("a cost that libcrypto would refuse is none, and one at the edge hashes")
    func edge() throws {
        #expect(PasswordVerifier.Cost(logN: 16, r: 1, p: 1) == nil)
        let cost = try #require(PasswordVerifier.Cost(logN: 15, r: 1, p: 1))
        #expect(PasswordVerifier(password: [1], cost: cost) != nil)
    }

    @Test(
        "what is no verifier's text is none",
        arguments: [
            "", "scrypt", "scrypt:15:8:3", "scrypt:15:8:3::", "bcrypt:4:1:1:00:" + String(repeating: "00", count: 32),
            "scrypt:0:1:1:00:" + String(repeating: "00", count: 32), "scrypt:18:32:16:00:" + String(repeating: "00", count: 32),
            "scrypt:4:1:1:0g:" + String(repeating: "00", count: 32), "scrypt:4:1:1:00:0011",
        ])
    func broken(text: String) { #expect(PasswordVerifier(text) == nil) }
}
