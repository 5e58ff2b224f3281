import Testing

@testable import Web

@Suite("Query parameters")
struct QueryTests {
    let rule = QueryRule(required: ["state"], optional: ["limit", "online"])

    @Test("an empty parameter is as one that is missing")
    func empty() throws {
        let query = try Query(parsing: "state=pend%69ng&limit=&", rule: rule)
        #expect(query["state"] == "pending")
        #expect(query["limit"] == nil)
        #expect(try query.number("limit") == nil)
        #expect(try query.flag("online") == nil)
    }

    @Test("the first fault answers: unknown, missing, then what is given twice or cannot be decoded")
    func order() {
        #expect(throws: Rejection.unknownParameter("x", known: ["state", "limit", "online"])) {
            try Query(parsing: "limit=1&limit=1&x", rule: rule)
        }
        #expect(throws: Rejection.missingParameter("state")) { try Query(parsing: "limit=1&limit=1", rule: rule) }
        #expect(throws: Rejection.missingParameter("state")) { try Query(parsing: nil, rule: rule) }
        #expect(throws: Rejection.invalidParameter("limit", .repeated)) {
            try Query(parsing: "limit=1&state=x&limit=1", rule: rule)
        }
        #expect(throws: Rejection.invalidParameter("state", .undecodable)) { try Query(parsing: "state=%zz", rule: rule) }
    }

    @Test("numbers are up to 15 digits, flags are true or false")
    func values() throws {
        for text in ["-1", "+1", "1e3", "1234567890123456", "x", "0", "8"] {
            let query = try Query(parsing: "state=x&limit=" + text, rule: rule)
            #expect(throws: Rejection.invalidParameter("limit", .notANumber(text.replacing("+", with: " "), 1...7))) {
                try query.number("limit", in: 1...7)
            }
        }
        let query = try Query(parsing: "state=x&limit=123456789012345&online=false", rule: rule)
        #expect(try query.number("limit") == 123_456_789_012_345)
        #expect(try query.flag("online") == false)
        let wrong = try Query(parsing: "state=x&online=yes", rule: rule)
        #expect(throws: Rejection.invalidParameter("online", .notAFlag("yes"))) { try wrong.flag("online") }
    }
}
