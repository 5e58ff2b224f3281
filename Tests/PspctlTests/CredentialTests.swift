import Base
import Crypto
import Testing

@testable import pspctl

@Suite("What shows who is calling")
struct CredentialTests {
    @Test("an app signs method, path with query, time and body with its secret; a change has a nonce, and each another")
    func app() throws {
        let call = Call(.post, ["psp", "push", "msg"], body: Array(#"{"a":1}"#.utf8))
        let headers = Credential.app(key: "Demo", masterSecret: "Hush").headers(for: call, now: 1_795_521_600_000)
        #expect(headers.map(\.name) == ["appkey", "timestamp", "authorization"])
        #expect(headers[0].value == "Demo" && headers[1].value == "1795521600000")
        let nonce = try #require(headers[2].value.split(separator: "nonce=").last?.prefix { $0 != "," })
        let digest = Hex.encode(Digest.sha256.hash(#"{"a":1}"#))
        let text = "PSP-HMAC-SHA256\nDemo\nPOST\n/psp/push/msg\n1795521600000\n\(nonce)\n\(digest)"
        let code = Hex.encode(MessageAuthentication.code(of: Array(text.utf8), key: Array("Hush".utf8)))
        #expect(headers[2].value == "PSP-HMAC-SHA256 nonce=\(nonce), content-sha256=\(digest), signature=\(code)")
        let again = Credential.app(key: "Demo", masterSecret: "Hush").headers(for: call, now: 1_795_521_600_000)
        #expect(again[2].value != headers[2].value)
        let look = Call(.get, ["psp", "push", "tasks"])
        #expect(!Credential.app(key: "Demo", masterSecret: "Hush").headers(for: look, now: 1)[2].value.contains("nonce"))
    }

    @Test("an operator sends the token")
    func operatorToken() {
        let headers = Credential.operatorToken("t").headers(for: Call(.get, ["psp"]), now: 1)
        #expect(headers.map(\.name) == ["Authorization"] && headers[0].value == "Bearer t")
    }
}
