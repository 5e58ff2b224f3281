import Push
import Testing

@Suite("expiry")
struct ExpiryTests {
    private func expireTime(_ value: String) throws -> Int64? {
        try decode(Samples.top("\"policy\":{\"expire_time\":\(value)}")).expireTime
    }

    @Test(
        "the time may be Unix seconds or milliseconds, as a number or digits, or RFC 3339",
        arguments: [
            ("1795564800", 1_795_564_800_000), ("1795564800123", 1_795_564_800_123), ("\"1795564800\"", 1_795_564_800_000),
            ("\"1795564800123\"", 1_795_564_800_123), ("0", 0), ("99999999999", 99_999_999_999_000),
            ("100000000000", 100_000_000_000),
            ("9007199254740992", 9_007_199_254_740_992), ("\"2026-11-25T00:00:00Z\"", 1_795_564_800_000),
            ("\"2026-11-25t08:00:00.1234+08:00\"", 1_795_564_800_123), ("\"2026-11-24T18:30:00-05:30\"", 1_795_564_800_000),
            ("\"2026-11-25T00:00:00.5z\"", 1_795_564_800_500), ("\"2026-11-25T00:00:00-00:00\"", 1_795_564_800_000),
            ("\"1970-01-01T00:00:00Z\"", 0), ("\"2000-02-29T23:59:59Z\"", 951_868_799_000),
            ("\"2024-02-29T00:00:00Z\"", 1_709_164_800_000),
            ("\"2100-03-01T00:00:00Z\"", 4_107_542_400_000), ("\"9999-12-31T23:59:59.999Z\"", 253_402_300_799_999),
            ("\"0000-01-01T00:00:00Z\"", -62_167_219_200_000), ("\"0000-02-29T00:00:00Z\"", -62_162_121_600_000),
            ("\"2016-12-31T23:59:60Z\"", 1_483_228_800_000),
        ])
    func forms(value: String, milliseconds: Int64) throws {
        #expect(try expireTime(value) == milliseconds)
    }

    @Test(
        "what is no date-time of RFC 3339 is refused",
        arguments: [
            "2026-11-25T00:00:00", "2026-11-25 00:00:00Z", "2026-11-25T00:00Z", "2026-11-25", "26-11-25T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z", "2026-11-31T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
            "2026-11-00T00:00:00Z",
            "2026-11-25T24:00:00Z", "2026-11-25T00:60:00Z", "2026-11-25T00:00:61Z", "2026-11-25T00:00:00.Z",
            "2026-11-25T00:00:00,5Z",
            "2026-11-25T00:00:00+0800", "2026-11-25T00:00:00+08", "2026-11-25T00:00:00+24:00", "2026-11-25T00:00:00+08:60",
            "2026-11-25T00:00:00ZZ", "2026-11-25T00:00:00Z ", " 2026-11-25T00:00:00Z", "+2026-11-25T00:00:00Z",
            "2026-11-25T00:00:00 +08:00",
        ])
    func notRFC3339(value: String) {
        #expect(throws: Refusal(.invalidValue, field: "policy.expire_time")) { try expireTime("\"\(value)\"") }
    }

    @Test("a message lives 72 hours unless it says otherwise, and 7 days at most")
    func messages() throws {
        let now: Int64 = 1_795_564_800_000, day: Int64 = 86_400_000
        #expect(try Expiry.resolve(nil, of: .message, now: now, offset: 0) == now + 3 * day)
        #expect(try Expiry.resolve(now + 1, of: .message, now: now, offset: 0) == now + 1)
        #expect(try Expiry.resolve(now + 7 * day, of: .message, now: now, offset: 0) == now + 7 * day)
        for wish in [now + 7 * day + 1, now, now - 1, 0, -1, Int64.max, Int64.min] {
            #expect(throws: Refusal(.invalidValue, field: "policy.expire_time")) {
                try Expiry.resolve(wish, of: .message, now: now, offset: 0)
            }
        }
    }

    @Test("a wish is a time of day, and what it becomes is not")
    func offsets() throws {
        let now: Int64 = 1_795_564_800_000, day: Int64 = 86_400_000
        for offset in [5 * day, -5 * day, 0] {
            let wallClock = now + offset
            #expect(try Expiry.resolve(nil, of: .message, now: now, offset: offset) == now + 3 * day)
            #expect(try Expiry.resolve(wallClock + 1, of: .message, now: now, offset: offset) == now + 1)
            #expect(try Expiry.resolve(wallClock + 7 * day, of: .message, now: now, offset: offset) == now + 7 * day)
            for wish in [wallClock, wallClock + 7 * day + 1] {
                #expect(throws: Refusal.self) { try Expiry.resolve(wish, of: .message, now: now, offset: offset) }
            }
        }
    }

    @Test("a configuration has neither a default nor an upper bound")
    func configurations() throws {
        let now: Int64 = 1_795_564_800_000
        #expect(try Expiry.resolve(nil, of: .configuration, now: now, offset: 0) == nil)
        #expect(try Expiry.resolve(1 << 53, of: .configuration, now: now, offset: 0) == 1 << 53)
        #expect(throws: Refusal(.invalidValue, field: "policy.expire_time")) {
            try Expiry.resolve(now, of: .configuration, now: now, offset: 0)
        }
    }
}
