import Push
import Testing
import Web

@testable import PushAPI

@Suite("The values a request is taken apart into")
struct ValueTests {
    @Test("a list takes 1 to 1,000 items a page, 100 unless told, and goes on where it is told")
    func pages() throws {
        let rule = QueryRule.list("org_id")
        let plain = try Query(parsing: "after=&limit=", rule: rule)
        #expect(plain.after == nil)
        #expect(try plain.limit() == 100)
        let full = try Query(parsing: "after=p%2B1&limit=1000&org_id=a%20b", rule: rule)
        #expect(full.after == PageToken("p+1"))
        #expect(try full.limit() == 1000)
        #expect(throws: Refusal(.invalidValue, field: "org_id")) { let _: OrgID? = try full.identifier("org_id") }
        for limit in ["0", "1001", "-1", "ten"] {
            #expect(throws: Rejection.invalidParameter("limit", .notANumber(limit, 1...1000))) {
                try Query(parsing: "limit=\(limit)", rule: rule).limit()
            }
        }
    }

    @Test("Retry-After is whole seconds, at least one")
    func retryAfter() {
        for (delay, seconds) in [(Duration.zero, "1"), (.milliseconds(1), "1"), (.seconds(2), "2"), (.milliseconds(2001), "3")] {
            let reply = Reply.failure(StoreError.unavailable(retryAfter: delay), for: RequestHeaders())
            #expect(reply.headers.map(\.value) == [seconds])
        }
    }
}
