import Base
import Push
import StoreContract
import Testing

@Suite("Contract: signed requests and secrets")
struct SigningTests {
    private static let window: Int64 = 600_000

    /// - Parameter time: until when a repeat of it would pass for in time.
    private func nonce(_ text: String, until time: Int64, window: Int64 = window) throws -> UsedNonce {
        UsedNonce(try #require(Nonce(text)), timestamp: time - window, window: window)
    }

    private func message(_ nonce: UsedNonce, from app: String = "app", to target: PushRequest.Target = .device("d1"))
        -> PushRequest
    {
        let plain = PushRequest.message(target, from: app)
        return PushRequest(
            app: plain.app, interface: plain.interface, target: plain.target, payload: plain.payload, nonce: nonce)
    }

    private let replayed = Refusal(.wrongToken, field: "authorization")

    @Test("a nonce is taken once, on any loop and of either kind of change, and each app has its own", arguments: stores())
    func once(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let (port, other) = (fixture.port, fixture.other)
        try await port.makeApp("second")
        let until = try await fixture.now + Self.window
        let first = try nonce("nonce-000001", until: until)
        let task = try await port.push(message(first))
        #expect(try await other.refusal(of: message(first)) == replayed)
        await #expect(throws: StoreError.refused(replayed)) {
            try await other.cancel(task, by: AppKey(unchecked: "app"), nonce: first)
        }
        #expect(try await port.status(task) == .active)
        try await port.push(message(first, from: "second"))
        let second = try nonce("nonce-000002", until: until)
        #expect(try await port.cancel(task, by: AppKey(unchecked: "app"), nonce: second) == .cancelled)
        #expect(try await port.refusal(of: message(second)) == replayed)
    }

    @Test("a refused push has used its nonce up, and a repeat is refused before its out_biz_no is looked up", arguments: stores())
    func refused(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let until = try await fixture.now + Self.window
        let first = try nonce("nonce-000001", until: until)
        #expect(try await fixture.port.refusal(of: message(first, to: .device("nobody"))).code == .noSuchDevice)
        #expect(try await fixture.port.refusal(of: message(first)) == replayed)
        func order(_ nonce: UsedNonce) -> PushRequest {
            let plain = PushRequest.message(.device("d1"), bizNo: "order-1")
            return PushRequest(
                app: plain.app, interface: plain.interface, target: plain.target, payload: plain.payload,
                idempotency: plain.idempotency, nonce: nonce)
        }
        let second = try nonce("nonce-000002", until: until)
        let task = try await fixture.port.push(order(second))
        #expect(try await fixture.port.refusal(of: order(second)) == replayed)
        let again = await fixture.other.append(order(try nonce("nonce-000003", until: until)))
        #expect(again == .repeated(task))
    }

    @Test(
        "a nonce is remembered over a restart, as long as its request would be in time", arguments: stores(.crash, .standingClock)
    )
    func restart(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let until = try await fixture.now + 2 * Self.window
        let first = try nonce("nonce-000001", until: until)
        try await fixture.port.push(message(first))
        for ending in [Ending.close, .crash] {
            try await fixture.restart(after: ending)
            #expect(try await fixture.port.refusal(of: message(first)) == replayed)
        }
        try await fixture.advance(by: 2 * Self.window)
        #expect(try await fixture.port.refusal(of: message(first)) == replayed)
    }

    @Test(
        "a server that is set to another window, and an app that is made anew, know what came before", arguments: stores(.restart)
    )
    func otherWindow(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let now = try await fixture.now
        func signed(within window: Int64) throws -> PushRequest {
            message(try nonce("nonce-000001", until: now + window, window: window))
        }
        try await fixture.port.push(try signed(within: Self.window))
        for window in [60_000, 900_000, 1_200_000, 86_400_000] as [Int64] {
            try await fixture.restart()
            #expect(try await fixture.port.refusal(of: signed(within: window)) == replayed)
        }
        _ = try await fixture.port.apply(.removeApp(AppKey(unchecked: "app")))
        try await fixture.port.makeApp("app")
        #expect(try await fixture.port.refusal(of: signed(within: Self.window)) == replayed)
    }

    @Test("a clock that was ahead for a moment forgets none", arguments: stores(.standingClock, .lifetimes))
    func glitch(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let first = try nonce("nonce-000001", until: try await fixture.now + Self.window)
        try await fixture.port.push(message(first))
        let day: Int64 = 86_400_000
        try await fixture.step(by: 5 * day)
        try await fixture.port.push(message(try nonce("nonce-000002", until: try await fixture.now + Self.window)))
        try await fixture.step(by: -5 * day)
        #expect(try await fixture.port.refusal(of: message(first)) == replayed)
        try await fixture.port.push(message(try nonce("nonce-000003", until: try await fixture.now + Self.window)))
    }

    @Test(
        "a clock that was ahead for hours refuses nothing that is signed afterwards",
        arguments: stores(.standingClock, .lifetimes))
    func longAhead(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let hour: Int64 = 3_600_000
        func push(_ number: Int) async throws {
            try await fixture.port.push(message(try nonce("nonce-0000\(number)", until: try await fixture.now + Self.window)))
        }
        try await push(10)
        try await fixture.step(by: 8 * hour)
        for number in 11..<15 {
            try await push(number)
            try await fixture.advance(by: hour)
        }
        try await fixture.step(by: -8 * hour)
        try await push(15)
        // What was signed while it was ahead is not taken a second time when the day comes.
        let ahead = try nonce("nonce-000011", until: try await fixture.now + 4 * hour + Self.window)
        try await fixture.advance(by: 4 * hour)
        let refusal = try await fixture.port.refusal(of: message(ahead))
        #expect(refusal.code == .badTimestamp || refusal == replayed)
    }

    @Test("what was forgotten stays refused when the clock goes back to it", arguments: stores(.standingClock, .lifetimes))
    func goneBack(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let first = try nonce("nonce-000001", until: try await fixture.now + Self.window)
        try await fixture.port.push(message(first))
        let hour: Int64 = 3_600_000
        for number in 2..<5 {
            try await fixture.advance(by: hour)
            try await fixture.port.push(message(try nonce("nonce-00000\(number)", until: try await fixture.now + Self.window)))
        }
        try await fixture.step(by: -3 * hour)
        for again in 0..<2 {
            let refusal = try await fixture.port.refusal(of: message(first))
            // A store that forgets now and then may know it still.
            if refusal != replayed {
                #expect(refusal == Refusal(.badTimestamp, field: "timestamp"))
                #expect(refusal.message(in: .english).contains("has gone back"))
            }
            if again == 0 { try await fixture.restart() }
        }
    }

    @Test("a secret is rotated in two steps, and when each was used last is known", arguments: stores())
    func rotation(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let (port, other, key) = (fixture.port, fixture.other, AppKey(unchecked: "app"))
        port.secretUsed("secret", by: key, on: 19_000)
        try await eventually("the day") { try await other.app(key).secretUse == SecretUse(master: 19_000) }
        #expect(try await port.apply(.rotateSecret(key, secret: "new", again: false)) == .created(secret: "new"))
        let rotated = try await other.app(key)
        #expect(rotated.masterSecret == "new" && rotated.formerSecret == "secret")
        #expect(rotated.secretUse == SecretUse(former: 19_000))
        await #expect(throws: StoreError.refused(Refusal(.formerSecretInUse, field: "former_secret"))) {
            _ = try await port.apply(.rotateSecret(key, secret: "newer", again: false))
        }
        // The reply with the new one was lost.
        #expect(try await port.apply(.rotateSecret(key, secret: "told", again: true)) == .created(secret: "told"))
        #expect(try await other.app(key).formerSecret == "secret")
        #expect(try await port.apply(.rotateSecret(key, secret: "new", again: true)) == .created(secret: "new"))
        other.secretUsed("new", by: key, on: 19_001)
        other.secretUsed("secret", by: key, on: 18_999)
        other.secretUsed("neither", by: key, on: 19_002)
        try await eventually("the day") { try await port.app(key).secretUse == SecretUse(master: 19_001, former: 19_000) }
        // A clock that was years ahead is corrected.
        other.secretUsed("secret", by: key, on: 9_000)
        try await eventually("the right day") { try await port.app(key).secretUse.former == 9_000 }
        #expect(try await port.apply(.dropFormerSecret(key)) == .removed)
        let ended = try await other.app(key)
        #expect(ended.masterSecret == "new" && ended.formerSecret == nil && ended.secretUse == SecretUse(master: 19_001))
        let nobody = AppKey(unchecked: "nobody")
        await #expect(throws: StoreError.refused(Refusal(.noSuchApp, field: "appkey"))) {
            _ = try await port.apply(.rotateSecret(nobody, secret: "x", again: false))
        }
    }

    @Test("how and from where an app may call is kept", arguments: stores())
    func policy(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let key = AppKey(unchecked: "app")
        let ranges = try ["10.0.0.0/8", "2001:db8::1"].map { try #require(AddressRange($0)) }
        try await fixture.port.changeApp("app") { ($0.hmacOnly, $0.addresses) = (true, .set(ranges)) }
        if kind.claims([.restart]) { try await fixture.restart() }
        let app = try await fixture.other.app(key)
        #expect(app.hmacOnly && app.addresses == ranges)
        try await fixture.port.changeApp("app") { $0.addresses = .clear }
        let cleared = try await fixture.other.app(key)
        #expect(cleared.hmacOnly && cleared.addresses.isEmpty)
    }
}
