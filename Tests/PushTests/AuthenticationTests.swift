import Push
import Testing

@Suite("who calls")
struct AuthenticationTests {
    private static let app = App(
        key: AppKey(unchecked: "50e26c315270156DF0000031"), name: "a", masterSecret: "b3a09842D2c86177aa8268ee64f14f7e",
        interfaces: [.message], scope: nil, disabled: false)
    private static let now: Int64 = 1_385_321_933_302
    private static let call = SignedCall(method: "POST", target: "/psp/push/msg", isChange: true)

    private func authenticate(
        _ headers: [(String, String)], for interface: Interface? = .message, now: Int64 = now, app: App = app
    ) throws(Refusal) -> App {
        var credentials = CredentialHeaders()
        for (name, value) in headers { credentials.offer(name: name, value: value) }
        return try Authentication().authenticate(credentials, of: Self.call, from: { nil }, for: interface, now: now) {
            $0 == app.key ? KnownApp(app) : nil
        }.app
    }

    private func headers(
        appKey: String = app.key.text, timestamp: String = "1385321933302", token: String? = nil
    ) -> [(String, String)] {
        let made = ValidationToken.make(
            appKey: AppKey(unchecked: appKey), masterSecret: Self.app.masterSecret, timestamp: timestamp)
        return [("appkey", appKey), ("timestamp", timestamp), ("validation-token", token ?? made)]
    }

    @Test("the token is that of the seed document's sample")
    func sample() {
        // md5 of "50e26c315270156df0000031" + "b3a09842d2c86177aa8268ee64f14f7e" + "1385321933302".
        let token = ValidationToken.make(
            appKey: Self.app.key, masterSecret: Self.app.masterSecret, timestamp: "1385321933302")
        #expect(token == "a159e9f76ede3f18bf0a59495ad8bf97")
    }

    @Test(
        "three right headers are an app",
        arguments: ["validation-token", "validation_token", "validationToken", "Validation-Token", "VALIDATIONTOKEN"])
    func accepted(name: String) throws {
        var sent = headers()
        sent[2].0 = name
        #expect(
            try authenticate(sent + [("Content-Type", "text/plain"), ("app-key", "x"), ("validationtokens", "x")]) == Self.app)
        #expect(try authenticate([("AppKey", sent[0].1), ("TIMESTAMP", sent[1].1), (name, sent[2].1.uppercased())]) == Self.app)
        #expect(try authenticate([("appkey", " \t\(sent[0].1) "), sent[1], (name, sent[2].1 + "\t")]) == Self.app)
    }

    @Test(
        "a header that is missing or empty is named",
        arguments: [(0, ErrorCode.noAppKey, "appkey"), (1, .noTimestamp, "timestamp"), (2, .noToken, "validation-token")])
    func missing(index: Int, code: ErrorCode, field: String) {
        var sent = headers()
        for empty in ["", " ", "\t \t"] {
            sent[index].1 = empty
            #expect(throws: Refusal(code, field: field)) { try authenticate(sent) }
        }
        sent.remove(at: index)
        #expect(throws: Refusal(code, field: field)) { try authenticate(sent) }
    }

    @Test(
        "a header that is given twice, in any spelling, is malformed",
        arguments: [
            ("appkey", Refusal(.unknownAppKey, field: "appkey")), ("APPKEY", Refusal(.unknownAppKey, field: "appkey")),
            ("timestamp", Refusal(.badTimestamp, field: "timestamp")),
            ("validation-token", Refusal(.wrongToken, field: "validation-token")),
            ("validation_token", Refusal(.wrongToken, field: "validation-token")),
            ("validationToken", Refusal(.wrongToken, field: "validation-token")),
        ])
    func twice(name: String, refusal: Refusal) {
        let sent = headers()
        let value = sent.first { $0.0.prefix(5) == name.lowercased().prefix(5) }?.1 ?? ""
        #expect(throws: refusal) { try authenticate(sent + [(name, value)]) }
        #expect(throws: refusal) { try authenticate([(name, "")] + sent) }
    }

    @Test(
        "a timestamp is 10 or 13 digits",
        arguments: [
            "138532193330", "13853219333021", "1", "1385321933.0", "-385321933", "+1385321933302", " 138532193330x", "١٣٨٥٣٢١٩٣٣",
            "1385321933e3", "now", "00000000000000",
        ])
    func timestampForm(timestamp: String) {
        #expect(throws: Refusal(.badTimestamp, field: "timestamp")) {
            try authenticate(headers(timestamp: timestamp))
        }
    }

    @Test("ten minutes either way are accepted, and not a millisecond more")
    func window() throws {
        let sent = headers()
        for now in [Self.now - 600_000, Self.now + 600_000] { #expect(try authenticate(sent, now: now) == Self.app) }
        for now in [Self.now - 600_001, Self.now + 600_001, 0, Int64.max] {
            #expect(throws: Refusal(.badTimestamp, field: "timestamp")) {
                try authenticate(sent, now: now)
            }
        }
        let seconds = headers(timestamp: "1385321933")
        #expect(try authenticate(seconds, now: 1_385_321_933_000 + 600_000) == Self.app)
        #expect(throws: Refusal(.badTimestamp, field: "timestamp")) {
            try authenticate(seconds, now: 1_385_322_533_001)
        }
        var credentials = CredentialHeaders()
        for (name, value) in sent { credentials.offer(name: name, value: value) }
        #expect(throws: Refusal(.badTimestamp, field: "timestamp")) {
            try Authentication(window: 10).authenticate(
                credentials, of: Self.call, from: { nil }, for: nil, now: Self.now + 11
            ) { _ in KnownApp(Self.app) }
        }
    }

    @Test(
        "an appkey that is not registered is unknown, and case matters",
        arguments: ["nobody", "50e26c315270156df0000031", "a/b", "密", "\u{212A}"])
    func unknownApp(appKey: String) {
        #expect(throws: Refusal(.unknownAppKey, field: "appkey")) { try authenticate(headers(appKey: appKey)) }
    }

    @Test(
        "a wrong token is refused, and so is one for another timestamp",
        arguments: ["x", "0".repeated(32), "g".repeated(32), "0".repeated(33)])
    func wrongToken(token: String) {
        #expect(throws: Refusal(.wrongToken, field: "validation-token")) { try authenticate(headers(token: token)) }
        let other = headers(timestamp: "1385321933301")[2].1
        #expect(throws: Refusal(.wrongToken, field: "validation-token")) { try authenticate(headers(token: other)) }
    }

    @Test("the secret itself is refused, and the text says what is expected without showing anything")
    func rawSecret() {
        for secret in [Self.app.masterSecret, Self.app.masterSecret.lowercased()] {
            let refusal = Refusal(.wrongToken, field: "validation-token", .rawSecret)
            let thrown = #expect(throws: Refusal.self) { try authenticate(headers(token: secret)) }
            #expect(thrown == refusal)
            #expect(thrown?.detail == .rawSecret)
            for language in [Language.chinese, .english] {
                #expect(refusal.message(in: language).contains("md5hex(lower(appkey)+lower(masterSecret)+timestamp)"))
                #expect(!refusal.message(in: language).lowercased().contains(Self.app.masterSecret.lowercased()))
            }
        }
    }

    @Test("an app may be disabled, or not be allowed to use an interface")
    func permissions() throws {
        var disabled = Self.app
        disabled.disabled = true
        #expect(throws: Refusal(.appDisabled, field: "appkey")) { try authenticate(headers(), app: disabled) }
        #expect(throws: Refusal(.appDisabled, field: "appkey")) {
            try authenticate(headers(), for: .configuration, app: disabled)
        }
        #expect(throws: Refusal(.interfaceNotAllowed, field: "appkey")) { try authenticate(headers(), for: .configuration) }
        #expect(try authenticate(headers(), for: nil) == Self.app)
    }

    @Test("the first check that fails answers")
    func order() {
        var disabled = Self.app
        disabled.disabled = true
        var sent = [(String, String)]()
        #expect(throws: Refusal(.noAppKey, field: "appkey")) { try authenticate(sent) }
        sent.append(("appkey", "nobody"))
        #expect(throws: Refusal(.noTimestamp, field: "timestamp")) { try authenticate(sent) }
        sent.append(("timestamp", "x"))
        #expect(throws: Refusal(.noToken, field: "validation-token")) { try authenticate(sent) }
        sent.append(("validation-token", "x"))
        #expect(throws: Refusal(.badTimestamp, field: "timestamp")) { try authenticate(sent) }
        sent[1].1 = "1385321933"
        #expect(throws: Refusal(.unknownAppKey, field: "appkey")) { try authenticate(sent) }
        sent[0].1 = Self.app.key.text
        #expect(throws: Refusal(.wrongToken, field: "validation-token")) { try authenticate(sent, app: disabled) }
    }
}
