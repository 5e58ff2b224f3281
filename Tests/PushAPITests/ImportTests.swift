import JSON
import Push
import TestKit
import Testing

@testable import PushAPI

@Suite("Import")
struct ImportTests {
    @Test("lines apply in order, each alone; the first failing ones are told with number, code and text")
    func lines() async throws {
        var script = FakeStore.Script()
        script.changes = { changes throws(StoreError) in
            changes.map { change in
                switch change {
                case .putOrganisation: .success(.created(secret: nil))
                case .putDevice(DeviceToken(unchecked: "new"), _, secretIfNew: nil):
                    .failure(Refusal(.missingField, field: "secret"))
                default: .success(.updated)
                }
            }
        }
        try await Served.with(script) { served in
            let body = """
                {"kind":"org","id":"o","name":"O"}\r
                {"kind":"device","id":"d","org_id":"o"}

                {"kind":"device","id":"new","platform":"ios","org_id":"o"}
                {"kind":"person","id":"p"}
                not json
                \t
                {"kind":"app","id":"a","colour":1}
                {"kind":"app","id":"a","name":"A"}
                """
            let reply = try served.operate(.admin("POST", "/psp/admin/import", body).with("Accept-Language", "en"))
            expectSuccess(reply)
            let data = try reply.data()
            #expect(data["created"]?.int64 == 1)
            #expect(data["updated"]?.int64 == 2)
            #expect(data["failed"]?.int64 == 4)
            let failures = try #require(data["failures"]?.elements.map { $0 })
            #expect(failures.map { $0["line"]?.int64 } == [4, 5, 6, 8])
            #expect(failures.map { $0["error_code"]?.int64 } == [2102, 2103, 2101, 2104])
            #expect(failures.map { $0["field"]?.string } == ["secret", "kind", nil, "colour"])
            #expect(failures.first?["error_msg"]?.string == "a required field is missing")
            #expect(served.store.asked.changes.count == 4)
        }
    }

    @Test("many lines reach the store in batches, in order, while the loop turns")
    func batches() async throws {
        try await Served.with { served in
            let body = (1...25_000).map { #"{"kind":"device","id":"d-\#($0)","platform":"android","org_id":"o","secret":"s"}"# }
            let connection = try RawConnection(port: served.adminPort)
            try connection.send(Call.admin("POST", "/psp/admin/import", body.joined(separator: "\n")).bytes)
            let reply = try connection.reply()
            expectSuccess(reply)
            #expect(try reply.data()["updated"]?.int64 == 25_000)
            #expect(try reply.data()["failures"]?.count == 0)
            let asked = served.store.asked
            #expect(asked.batches == Array(repeating: 1000, count: 25))
            let tokens = asked.changes.map { if case .putDevice(let token, _, _) = $0 { token.text } else { "?" } }
            #expect(tokens == (1...25_000).map { "d-\($0)" })
        }
    }

    @Test("of many failing lines the first hundred are told")
    func manyFailures() async throws {
        try await Served.with { served in
            let reply = try served.operate(.admin("POST", "/psp/admin/import", String(repeating: "x\n", count: 5000)))
            expectSuccess(reply)
            #expect(try reply.data()["failed"]?.int64 == 5000)
            #expect(try reply.data()["failures"]?.elements.map { $0["line"]?.int64 } == (1...100).map { $0 })
        }
    }

    @Test("a line longer than a body may be fails alone")
    func longLine() async throws {
        try await Served.with { served in
            let long = #"{"kind":"org","id":"o","name":""# + String(repeating: "x", count: 65_536) + #""}"#
            let reply = try served.operate(
                .admin("POST", "/psp/admin/import", long + "\n" + #"{"kind":"org","id":"o","name":"O"}"#))
            expectSuccess(reply)
            #expect(try reply.data()["updated"]?.int64 == 1)
            #expect(try reply.data()["failures"]?.elements.map { $0["error_code"]?.int64 } == [2106])
        }
    }

    @Test("nothing to import is fine; a query or another encoding is not")
    func edges() async throws {
        try await Served.with { served in
            expectSuccess(try served.operate(.admin("POST", "/psp/admin/import")))
            expect(try served.operate(.admin("POST", "/psp/admin/import?dry=1", "x")), 2104, status: 400, field: "dry")
            let encoded = Call.admin("POST", "/psp/admin/import", "x").with("Content-Encoding", "gzip")
            expect(try served.operate(encoded), 2103, status: 400, field: "Content-Encoding")
            #expect(served.store.asked.batches.isEmpty)
        }
    }

    @Test("a store that stops half-way is told as it says, with what was done before")
    func storeStops() async throws {
        var script = FakeStore.Script()
        script.changes = { changes throws(StoreError) in
            guard changes.first == .putOrganisation(OrgID(unchecked: "o-1"), OrganisationChange()) else {
                throw .unavailable(retryAfter: .seconds(5))
            }
            return changes.map { _ in .success(.updated) }
        }
        try await Served.with(script) { served in
            let body = (1...1500).map { #"{"kind":"org","id":"o-\#($0)"}"# }.joined(separator: "\n")
            let reply = try served.operate(.admin("POST", "/psp/admin/import", body))
            expect(reply, 2302, status: 503)
            #expect(reply.headers["retry-after"] == "5")
            #expect(try reply.data()["updated"]?.int64 == 1000)
        }
    }
}
