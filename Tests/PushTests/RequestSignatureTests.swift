import Base
import Testing

@testable import Push

@Suite("a request that is signed as a whole")
struct RequestSignatureTests {
    private static let app = App(
        key: AppKey(unchecked: "50e26c315270156DF0000031"), name: "a", masterSecret: "b3a09842D2c86177aa8268ee64f14f7e",
        interfaces: [.message], scope: nil, disabled: false)
    private static let now: Int64 = 1_385_321_933_302
    private static let body = Array(#"{"a":1}"#.utf8)
    private static let push = SignedCall(method: "POST", target: "/psp/push/msg?x=1", isChange: true)
    private static let nonce = Nonce("n-0123456789")
    private static let digest = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"

    private static func header(
        of call: SignedCall = push, nonce: Nonce? = nonce, body: [UInt8] = body, secret: String = app.masterSecret
    ) -> String {
        RequestSignature.header(
            for: call, appKey: app.key, timestamp: String(now), nonce: nonce, body: body, secret: secret)
    }

    private func authenticate(
        _ authorization: [String], call: SignedCall = push, app: App = app, from address: IPAddress? = nil,
        and headers: [(String, String)] = [], timestamp: String = String(now)
    ) throws(Refusal) -> KnownApp {
        var credentials = CredentialHeaders()
        let sent = [("appkey", app.key.text), ("timestamp", timestamp)] + headers + authorization.map { ("Authorization", $0) }
        for (name, value) in sent { credentials.offer(name: name, value: value) }
        return try Authentication().authenticate(
            credentials, of: call, from: { address }, for: .message, now: Self.now
        ) { $0 == app.key ? KnownApp(app) : nil }
    }

    private func fault(
        _ authorization: [String], call: SignedCall = push, app: App = app, timestamp: String = String(now)
    ) -> Refusal.SignatureFault? {
        do throws(Refusal) {
            _ = try authenticate(authorization, call: call, app: app, timestamp: timestamp)
            return nil
        } catch {
            guard error == Refusal(.wrongToken, field: "authorization"), case .signature(let fault) = error.detail else {
                return nil
            }
            return fault
        }
    }

    @Test("the signature is what any other program makes of the same lines")
    func vector() throws {
        #expect(
            Self.header() == "PSP-HMAC-SHA256 nonce=n-0123456789, content-sha256=\(Self.digest), "
                + "signature=1aa5bccc9b3c85c86081cf96b0b55f6d7145ea43904bb8a4ffeb9e3b899b9076")
        let look = SignedCall(method: "GET", target: "/psp/push/task/t", isChange: false)
        #expect(
            Self.header(of: look, nonce: nil, body: []).hasSuffix(
                "signature=59eb186ad9abf635793d11aa7a87bfa3c9d672b19653f8245969bef36103c517"))
    }

    @Test("it is accepted, in any order of its parameters, with quotes or without, digits and scheme in either case")
    func accepted() throws {
        let header = Self.header()
        #expect(try authenticate([header]).app == Self.app)
        let parts = header.split(separator: " ", maxSplits: 1)[1].split(separator: ",").map { $0.drop { $0 == " " } }
        #expect(try authenticate(["psp-hmac-sha256  " + parts.reversed().joined(separator: " ,\t")]).app == Self.app)
        let quoted = parts.map { part in
            let pair = part.split(separator: "=")
            return pair[0].uppercased() + "=\"" + (pair[0] == "nonce" ? String(pair[1]) : pair[1].uppercased()) + "\""
        }
        #expect(try authenticate(["PSP-HMAC-SHA256 " + quoted.joined(separator: ",")]).app == Self.app)
    }

    @Test("it counts before a token, and another scheme counts nothing")
    func besideToken() throws {
        let token = ValidationToken.make(
            appKey: Self.app.key, masterSecret: Self.app.masterSecret, timestamp: String(Self.now))
        #expect(try authenticate([Self.header()], and: [("validation-token", "x")]).app == Self.app)
        #expect(try authenticate(["Bearer x", "Basic y"], and: [("validation-token", token)]).app == Self.app)
        #expect(throws: Refusal(.noToken, field: "validation-token")) { try authenticate(["Bearer x"]) }
        #expect(throws: Refusal(.wrongToken, field: "authorization")) {
            try authenticate([Self.header(secret: "other")], and: [("validation-token", token)])
        }
    }

    @Test("every part of the request is signed")
    func parts() {
        let header = Self.header()
        #expect(fault([header], call: SignedCall(method: "PUT", target: Self.push.target, isChange: true)) == .wrong)
        #expect(fault([header], call: SignedCall(method: "POST", target: "/psp/push/msg?x=2", isChange: true)) == .wrong)
        #expect(fault([header], timestamp: String(Self.now + 1)) == .wrong)
        #expect(fault([header.replacing("nonce=n-0", with: "nonce=n-1")]) == .wrong)
        #expect(fault([header.replacing("content-sha256=0", with: "content-sha256=1")]) == .wrong)
        #expect(fault([Self.header(secret: Self.app.masterSecret.lowercased())]) == .wrong)
        #expect(fault([Self.header(secret: "")]) == .wrong)
    }

    @Test(
        "what is not written as it must be is malformed",
        arguments: [
            "PSP-HMAC-SHA256", "PSP-HMAC-SHA256 x", "PSP-HMAC-SHA256 nonce=n-0123456789",
            "PSP-HMAC-SHA256 nonce=n-0123456789, content-sha256=\(digest), signature=12",
            "PSP-HMAC-SHA256 nonce=n-0123456789, content-sha256=\(digest), signature=\("g".repeated(64))",
            "PSP-HMAC-SHA256 nonce=short, content-sha256=\(digest), signature=\(digest)",
            "PSP-HMAC-SHA256 nonce=n/0123456789, content-sha256=\(digest), signature=\(digest)",
            "PSP-HMAC-SHA256 nonce=, content-sha256=\(digest), signature=\(digest)",
            "PSP-HMAC-SHA256 nonce=\("n".repeated(65)), content-sha256=\(digest), signature=\(digest)",
            "PSP-HMAC-SHA256 nonce=n-0123456789, content-sha256=\(digest), signature=\(digest), signature=\(digest)",
            "PSP-HMAC-SHA256 nonce=n-0123456789, content-sha256=\(digest), signature=\(digest), more=1",
            "PSP-HMAC-SHA256 nonce=n-0123456789, content-sha256=\(digest), signature=\(digest),",
        ])
    func malformed(header: String) {
        #expect(fault([header]) == .malformed)
    }

    @Test("it is given once, and a change needs a nonce")
    func once() throws {
        #expect(fault([Self.header(), Self.header()]) == .repeated)
        #expect(fault([Self.header(nonce: nil)]) == .noNonce)
        let look = SignedCall(method: "GET", target: "/psp/push/task/t", isChange: false)
        #expect(try authenticate([Self.header(of: look, nonce: nil, body: [])], call: look).app == Self.app)
    }

    @Test("the body is compared when it is there")
    func body() throws {
        let signature = try #require(RequestSignature(parameters: Self.header().dropFirst(RequestSignature.scheme.count + 1)))
        #expect(signature.covers(Self.body))
        #expect(!signature.covers(Self.body + [0x20]))
        #expect(!signature.covers([]))
    }

    @Test("an app can be set to accept nothing else, and the right token is told so")
    func hmacOnly() throws {
        var app = Self.app
        app.hmacOnly = true
        let token = ValidationToken.make(appKey: app.key, masterSecret: app.masterSecret, timestamp: String(Self.now))
        let refusal = try #require(
            #expect(throws: Refusal(.wrongToken, field: "authorization")) {
                try authenticate([], app: app, and: [("validation-token", token)])
            })
        #expect(refusal.detail == .signature(.required))
        #expect(throws: Refusal(.wrongToken, field: "validation-token")) {
            try authenticate([], app: app, and: [("validation-token", "x")])
        }
        #expect(try authenticate([Self.header()], app: app).app == app)
    }

    @Test("the former secret is taken as well, and which one was used first on a day is told once")
    func rotation() throws {
        var app = Self.app
        try app.rotateSecret(to: "new", again: false)
        #expect(throws: Refusal(.formerSecretInUse, field: "former_secret")) { try app.rotateSecret(to: "newer", again: false) }
        let known = KnownApp(app)
        let (old, new) = (try signature(Self.app.masterSecret), try signature("new"))
        let day = Self.now / 86_400_000
        for (signature, secret) in [(old, Self.app.masterSecret), (new, "new")] {
            #expect(known.accepts(signature, of: Self.push, at: String(Self.now)))
            let use = try #require(known.firstUse(at: Self.now))
            #expect(use.secret == secret && use.day == day)
            #expect(known.firstUse(at: Self.now) == nil)
        }
        for secret in [Self.app.masterSecret, "new"] {
            let token = TokenMaker(appKey: app.key, masterSecret: secret).token(at: String(Self.now))
            #expect(known.accepts(token, at: String(Self.now)))
            #expect(known.firstUse(at: Self.now + 86_400_000)?.secret == secret)
        }
        app.dropFormerSecret()
        #expect(!KnownApp(app).accepts(old, of: Self.push, at: String(Self.now)))
        #expect(KnownApp(app).accepts(new, of: Self.push, at: String(Self.now)))
    }

    private func signature(_ secret: String) throws -> RequestSignature {
        try #require(RequestSignature(parameters: Self.header(secret: secret).dropFirst(RequestSignature.scheme.count + 1)))
    }

    @Test("an app may call from its addresses only, which is judged when it has proved who it is")
    func addresses() throws {
        var app = Self.app
        app.addresses = [try #require(AddressRange("10.0.0.0/8")), try #require(AddressRange("2001:db8::1"))]
        for inside in ["10.1.2.3", "::ffff:10.0.0.1", "2001:db8::1"] {
            #expect(try authenticate([Self.header()], app: app, from: IPAddress(inside)).app == app)
        }
        for outside in [IPAddress("11.0.0.1"), IPAddress("2001:db8::2"), nil] {
            let refusal = try #require(
                #expect(throws: Refusal(.addressNotAllowed, field: "appkey")) {
                    try authenticate([Self.header()], app: app, from: outside)
                })
            #expect(refusal.detail == .calledFrom(outside))
        }
        #expect(throws: Refusal(.wrongToken, field: "authorization")) {
            try authenticate([Self.header(secret: "x")], app: app, from: IPAddress("11.0.0.1"))
        }
    }

    @Test("no text of a fault tells a secret", arguments: Refusal.SignatureFault.allCases)
    func words(fault: Refusal.SignatureFault) {
        let refusal = Refusal(.wrongToken, field: "authorization", .signature(fault))
        for language in [Language.chinese, .english] {
            #expect(!refusal.message(in: language).isEmpty)
            #expect(!refusal.message(in: language).contains(Self.app.masterSecret))
        }
    }
}
