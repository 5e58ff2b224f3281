import Push
import StoreContract
import Testing

@Suite("Contract: how much an app may push")
struct QuotaTests {
    /// Which bound a push is over, and for how many milliseconds; `nil` where it was stored.
    private func refusal(
        _ port: any StorePort, _ request: PushRequest = .message(.device("d1"))
    ) async throws -> (bound: PushQuota.Bound, retryAfter: Int64)? {
        switch await port.append(request) {
        case .stored, .repeated: return nil
        case .refused(let refusal):
            #expect(refusal.code == .rateLimited)
            guard case .overQuota(let bound, let delay) = refusal.detail else { throw UnexpectedAnswer(refusal) }
            return (bound, delay)
        case let other: throw UnexpectedAnswer(other)
        }
    }

    @Test("so many at once, and then as many a second, whichever loop they come by", arguments: stores(.quotas, .standingClock))
    func perSecond(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let (port, other) = (fixture.port, fixture.other)
        try await port.changeApp("app") { $0.perSecond = .set(4) }
        for turn in 0..<4 { #expect(try await refusal(turn % 2 == 0 ? port : other) == nil) }
        let over = try #require(try await refusal(other))
        #expect(over == (.perSecond(4), 250))
        try await fixture.advance(by: 249)
        #expect(try #require(try await refusal(port)).retryAfter == 1)
        try await fixture.advance(by: 1)
        #expect(try await refusal(port) == nil)
        #expect(try await refusal(port) != nil)
        // What is not used of a minute is not kept.
        try await fixture.advance(by: 60_000)
        for _ in 0..<4 { #expect(try await refusal(other) == nil) }
        #expect(try await refusal(other) != nil)
    }

    @Test("each app has its own, a change holds at once, and no bound is the rule", arguments: stores(.quotas, .standingClock))
    func apps(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        try await port.makeApp("second")
        try await port.changeApp("app") { $0.perSecond = .set(1) }
        #expect(try await refusal(port) == nil)
        #expect(try await refusal(port) != nil)
        for _ in 0..<20 { #expect(try await refusal(port, .message(.device("d1"), from: "second")) == nil) }
        try await port.changeApp("app") { $0.perSecond = .clear }
        for _ in 0..<20 { #expect(try await refusal(port) == nil) }
        #expect(try await fixture.other.app(AppKey(unchecked: "app")).quota == PushQuota())
    }

    @Test(
        "a day's bound counts what is stored, over a restart, until the day ends",
        arguments: stores(.quotas, .standingClock, .crash))
    func perDay(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        try await fixture.port.changeApp("app") { $0.perDay = .set(3) }
        #expect(try await refusal(fixture.port) == nil)
        #expect(try await fixture.port.refusal(of: .message(.device("nobody"))).code == .noSuchDevice)
        let first = PushRequest.message(.device("d1"), bizNo: "b")
        for _ in 0..<3 { #expect(try await refusal(fixture.other, first) == nil) }
        for ending in [Ending.close, .crash] {
            try await fixture.restart(after: ending)
            if case .close = ending { #expect(try await refusal(fixture.port) == nil) }
            let day: Int64 = 86_400_000
            let rest = day - (try await fixture.now) % day
            #expect(try #require(try await refusal(fixture.port)) == (.perDay(3), rest))
        }
        let day: Int64 = 86_400_000
        try await fixture.advance(by: day - (try await fixture.now) % day)
        for _ in 0..<3 { #expect(try await refusal(fixture.port) == nil) }
        #expect(try await refusal(fixture.other) != nil)
    }

    @Test("a repeat is answered, and counts nothing", arguments: stores(.quotas, .standingClock))
    func repeats(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        try await fixture.port.changeApp("app") { ($0.perSecond, $0.perDay) = (.set(2), .set(2)) }
        let order = PushRequest.message(.device("d1"), bizNo: "order-1")
        for _ in 0..<5 { #expect(try await refusal(fixture.port, order) == nil) }
        #expect(try await refusal(fixture.port) == nil)
        #expect(try await refusal(fixture.port) != nil)
        #expect(try await refusal(fixture.port, order) == nil)
    }
}
