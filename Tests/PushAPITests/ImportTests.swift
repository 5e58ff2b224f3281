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
        script.run = { parts throws(StoreError) in
            .ended(parts) { change in
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
            #expect(served.store.asked.parts.map(\.count) == [7] && served.store.asked.abandoned.isEmpty)
        }
    }

    @Test("many lines reach the store in parts, in order, while the loop turns")
    func parts() async throws {
        try await Served.with { served in
            let body = (1...25_000).map { #"{"kind":"device","id":"d-\#($0)","platform":"android","org_id":"o","secret":"s"}"# }
            let connection = try RawConnection(port: served.adminPort)
            try connection.send(Call.admin("POST", "/psp/admin/import", body.joined(separator: "\n")).bytes)
            let reply = try connection.reply()
            expectSuccess(reply)
            #expect(try reply.data()["updated"]?.int64 == 25_000)
            #expect(try reply.data()["failures"]?.count == 0)
            let parts = served.store.asked.parts
            #expect(parts.count > 4 && parts.allSatisfy { $0.text.count < 512 << 10 })
            #expect(parts.flatMap(\.text) == Array((body.joined(separator: "\n") + "\n").utf8))
            #expect(parts.map(\.firstLine) == parts.indices.map { 1 + parts[..<$0].reduce(0) { $0 + $1.count } })
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
            #expect(served.store.asked.parts.isEmpty)
        }
    }

    @Test("an import that is not done in time is answered with 202 and how far it is; it is looked up by its number")
    func goesOn() async throws {
        var tally = ImportTally()
        (tally.created, tally.updated, tally.failed) = (3, 2, 1)
        let failure = LineFailure(line: 4, Refusal(.missingField, field: "secret"))
        let running = ImportReport(
            id: ImportID("9f"), state: .running, lines: 12, tally: tally, startedAt: noon, endedAt: nil, timeLeft: 2_500,
            failures: [failure])
        let ended = ImportReport(
            id: ImportID("8e"), state: .failed, lines: 12, tally: tally, startedAt: noon, endedAt: noon + 1, timeLeft: nil,
            failures: [])
        var script = FakeStore.Script()
        script.run = { _ throws(StoreError) in running }
        script.importReport = { id throws(StoreError) in
            guard id == running.id else { throw .refused(Refusal(.noSuchTask, field: "import_id")) }
            return running
        }
        script.imports = { _, _ throws(StoreError) in Page(items: [running, ended], next: PageToken("7")) }
        try await Served.with(script) { served in
            let reply = try served.operate(.admin("POST", "/psp/admin/import", #"{"kind":"org","id":"o"}"#))
            #expect(reply.status == 202)
            let told = try served.operate(.admin("GET", "/psp/admin/imports/9f").with("Accept-Language", "en"))
            for data in [try reply.data(), try told.data()] {
                #expect(data["import_id"]?.string == "9f" && data["state"]?.string == "running")
                #expect(data["lines"]?.int64 == 12 && data["done"]?.int64 == 6 && data["created"]?.int64 == 3)
                #expect(data["updated"]?.int64 == 2 && data["failed"]?.int64 == 1 && data["time_left"]?.int64 == 2_500)
                #expect(data["started_at"]?.int64 == noon && data["ended_at"] == nil)
                #expect(data["failures"]?.elements.map { $0["line"]?.int64 } == [4])
            }
            let texts = try told.data()["failures"]?.elements.map { $0["error_msg"]?.string }
            #expect(texts == ["a required field is missing"])
            let unknown = try served.operate(.admin("GET", "/psp/admin/imports/nothing").with("Accept-Language", "en"))
            expect(unknown, 2204, status: 404, field: "import_id")
            #expect(unknown.text.contains("no such import"))
            let list = try served.operate(.admin("GET", "/psp/admin/imports?limit=2")).data()
            #expect(list["items"]?.elements.map { $0["state"]?.string } == ["running", "failed"])
            #expect(list["items"]?.elements.map { $0["ended_at"]?.int64 } == [nil, noon + 1])
            #expect(list["next"]?.string == "7")
        }
    }

    @Test("a store that takes no changes is told as it says, and what it had kept is dropped", arguments: [true, false])
    func storeStops(keeping: Bool) async throws {
        var script = FakeStore.Script()
        if keeping {
            script.keep = { _ throws(StoreError) in throw .unavailable(retryAfter: .seconds(5)) }
        } else {
            script.run = { _ throws(StoreError) in throw .unknown }
        }
        try await Served.with(script) { served in
            let line = #"{"kind":"org","id":"o","name":""# + String(repeating: "x", count: 60_000) + "\"}\n"
            let connection = try RawConnection(port: served.adminPort)
            try connection.send(Call.admin("POST", "/psp/admin/import", String(repeating: line, count: 12)).bytes)
            let reply = try connection.reply()
            if keeping {
                expect(reply, 2302, status: 503)
                #expect(reply.headers["retry-after"] == "5")
            } else {
                expect(reply, 2901, status: 500)
            }
            #expect(served.store.asked.abandoned.count == 1)
        }
    }

    @Test("large bodies share a bound over all connections: beyond it 2302, and room as soon as one has gone")
    func roomForBodies() async throws {
        try await Served.with { served in
            let address = "/psp/admin/import"
            func begin() throws -> RawConnection {
                let connection = try RawConnection(port: served.adminPort)
                try connection.send(Call.admin("POST", address).with("Content-Length", String(64 << 20)).headBytes)
                return connection
            }
            var held = [try begin(), try begin()]
            try await until { await served.admin.roomForBodies == 0 }
            let refused = try begin().reply()
            expect(refused, 2302, status: 503)
            #expect(refused.headers["retry-after"] != nil)
            held.removeLast()
            try await until { await served.admin.roomForBodies == 64 << 20 }
            let text = String(repeating: "\n", count: 1 << 20)
            expectSuccess(try served.operate(.admin("POST", address, text)))
            held.removeAll()
            try await until { await served.admin.roomForBodies == 128 << 20 }
        }
    }
}
