import Crypto
import Push
import StoreContract
import Testing

@testable import SQLiteStore

@Suite("Operators in the file")
struct OperatorTests {
    @Test("sessions whose time is over go by themselves, and every loop learns of it")
    func expiredSessions() async throws {
        let fixture = try await SQLiteFixture { ($0.sweepInterval, $0.tuning.sweepPause) = (10, 1) }
        let ann = OperatorName(unchecked: "ann")
        _ = try await fixture.port.apply(.put(ann, .new(.viewer)), by: .installation)
        let loop = TestLoop()
        let known = try #require(try await loop.follow(fixture.store.port(for: loop)).operators.first)
        let call = OperatorCall(.named(known.identity, known.authority), client: nil, requestID: "r")
        func session(_ token: String, expires: Int64) -> OperatorSession {
            OperatorSession(
                key: OperatorSessionKey(token: token), holder: known.number, createdAt: 0, expires: expires, client: nil)
        }
        let now = fixture.store.clock.now
        let (short, long) = (session("short", expires: now + 1_000), session("long", expires: now + 1_000_000))
        for each in [short, long] { _ = try await fixture.port.apply(.logIn(each, by: known.password), by: call) }
        fixture.clock.advance(by: 2_000)
        try await eventually("the first is over") {
            fixture.clock.advance(by: 20)
            _ = try await fixture.port.clockState()
            return try await fixture.rows("SELECT count(*) FROM operator_session") == 1
        }
        #expect(try await fixture.rows("SELECT max(expires) FROM operator_session") == long.expires)
        try await loop.waitForEntry("its end") { entry in
            if case .operatorSession(short.key, nil) = entry { true } else { false }
        }
    }

    @Test("there are so many operators at most; one that is there is changed all the same")
    func most() async throws {
        let fixture = try await SQLiteFixture()
        try await fixture.edit(
            """
            WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < \(Operator.most - 1))
            INSERT INTO operator(name, display_name, role, disabled, password, created)
            SELECT 'o' || n, 'O', 0, 0, '\(PasswordVerifier.cheap("p").text)', 0 FROM count
            """)
        func put(_ name: String) async throws -> ChangeResult {
            try await fixture.port.apply(.put(OperatorName(unchecked: name), .new(.viewer)), by: .installation)
        }
        #expect(try await put("last") == .created(secret: nil))
        await #expect(throws: StoreError.refused(Refusal(.invalidValue, field: "name"))) { try await put("one-more") }
        #expect(try await put("o1") == .updated)
        _ = try await fixture.port.apply(.remove(OperatorName(unchecked: "o1")), by: .installation)
        #expect(try await put("one-more") == .created(secret: nil))
    }
}
