import Base
import JSON
import Push
import TestKit
import Testing

@testable import PushAPI

@Suite("Operators' log-ins and sessions")
struct OperatorTests {
    private let sender = Served.Person(role: .sender, scope: OrgID(unchecked: "east"))

    private func login(_ name: String, _ password: String = Served.passwordText) -> Call {
        Call(method: "POST", target: "/psp/admin/sessions", body: #"{"name":"\#(name)","password":"\#(password)"}"#)
    }

    @Test("a name with its password is given a token, of which the store has the digest")
    func logIn() async throws {
        try await Served.with { served in
            let reply = try served.operate(login(sender.name.text))
            expectSuccess(reply, status: 201)
            let data = try reply.data()
            #expect(data["role"]?.string == "sender" && data["org_id"]?.string == "east")
            let token = try #require(data["token"]?.string)
            #expect(token.utf8.count == 32)
            guard case .logIn(let session, by: Served.password) = served.store.asked.operatorChanges.last else {
                Issue.record("\(served.store.asked.operatorChanges)")
                return
            }
            #expect(session.key == OperatorSessionKey(token: token) && session.holder == sender.number)
            #expect(session.expires == 12 * 3_600_000 && session.client?.description == "127.0.0.1")
            #expect(served.store.asked.calls.last?.name == sender.name)

            let mine = Call.operate("GET", "/psp/admin/session", by: token)
            expect(try served.operate(mine), 2005, status: 401, field: "Authorization")
            await served.tell(.operatorSession(session.key, session))
            let shown = try served.operate(mine).data()
            #expect(shown["name"]?.string == sender.name.text && shown["session_id"]?.string == session.id.text)
            await served.tell(.operatorSession(session.key, nil))
            expect(try served.operate(mine), 2005, status: 401, field: "Authorization")
        }
    }

    @Test("a wrong password, a disabled operator and a name that nobody has are told alike, also by what is hashed")
    func wrong() async throws {
        try await Served.with { served in
            var off = sender.record
            off.disabled = true
            await served.tell(.operatorChanged(sender.number, off))
            let replies = [
                try served.operate(login("viewer", "wrong password")), try served.operate(login(sender.name.text)),
                try served.operate(login("nobody")), try served.operate(login("viewer", "")),
            ]
            for reply in replies {
                expect(reply, 2005, status: 401, field: "password")
                #expect(reply.text == replies[0].text)
            }
            #expect(served.store.asked.operatorChanges.isEmpty)
            expect(try served.operate(login("a b")), 2103, status: 400, field: "name")
            let long = String(repeating: "p", count: 1_025)
            let tooLong = try served.operate(login("viewer", long))
            expect(tooLong, 2103, status: 400, field: "password")
            #expect(!tooLong.text.contains("ppp"))
        }
    }

    @Test(
        "ten failures of an address under a name are the most in a minute: the right password is refused then, others are not"
    )
    func guessing() async throws {
        try await Served.with { served in
            let (failures, refused) = try failUntilRefused(served, most: 20) { _ in login("viewer", "wrong") }
            #expect((10...20).contains(failures))
            expect(refused, 2301, status: 429)
            try refusesRightPassword(of: "viewer", served) { _ in login("viewer", "wrong") }
            // Until the minute is over.
            let delay = try #require(refused.headers["retry-after"].flatMap { Int($0) })
            #expect((1...60).contains(delay))
            expectSuccess(try served.operate(login("sender")), status: 201)
        }
    }

    @Test("sixty failures of an address are the most in a minute, whatever the names; what was right does not count")
    func guessingNames() async throws {
        try await Served.with { served in
            for _ in 0..<11 { expectSuccess(try served.operate(login("sender")), status: 201) }
            let (failures, refused) = try failUntilRefused(served, most: 120) { login("nobody\($0)") }
            #expect((60...120).contains(failures))
            expect(refused, 2301, status: 429)
            try refusesRightPassword(of: "sender", served) { login("nobody\($0)") }
        }
    }

    /// Fails to log in until even that is refused.
    /// - Parameter most: twice what a minute may have: where one begins in between, it is counted anew.
    /// - Returns: how often it failed, and the refusal.
    private func failUntilRefused(_ served: Served, most: Int, _ attempt: (Int) -> Call) throws -> (Int, HTTPReply) {
        for failures in 0...most {
            let reply = try served.operate(attempt(failures))
            if reply.status == 429 { return (failures, reply) }
            expect(reply, 2005, status: 401, field: "password")
        }
        throw NeverRefused()
    }

    private struct NeverRefused: Error {}

    /// Where a minute has begun since the last failure, it has to fail as often again first.
    private func refusesRightPassword(of name: String, _ served: Served, failing attempt: (Int) -> Call) throws {
        for _ in 0..<3 {
            if try served.operate(login(name)).status == 429 { return }
            _ = try failUntilRefused(served, most: 120, attempt)
        }
        Issue.record("the right password of \(name) is taken all the same")
    }

    @Test("a session that is withdrawn while a body comes does nothing more by it")
    func withdrawnMeanwhile() async throws {
        try await Served.with { served in
            let admin = Served.Person(role: .administrator, scope: nil)
            let body = #"{"level":"trace"}"#
            let call = Call.operate("PUT", "/psp/admin/log-level", by: admin.token)
            let connection = try RawConnection(port: served.adminPort)
            try connection.send(
                call.with("Expect", "100-continue").with("Content-Length", String(body.utf8.count)).headBytes)
            // The head is judged.
            #expect(try connection.replyHead().status == 100)
            await served.tell(.operatorSession(admin.key, nil))
            try connection.send(body)
            expect(try connection.reply(), 2005, status: 401, field: "Authorization")
        }
    }

    @Test("a change of role or scope holds at once for a session that goes on; one of an operator who is gone is none")
    func authority() async throws {
        try await Served.with { served in
            let admin = Served.Person(role: .administrator, scope: nil)
            let apps = Call.operate("GET", "/psp/admin/apps", by: admin.token)
            expectSuccess(try served.operate(apps))
            var record = admin.record
            record.authority = Authority(.administrator, in: OrgID(unchecked: "east"))
            await served.tell(.operatorChanged(admin.number, record))
            expect(try served.operate(apps), 2011, status: 403)
            record.disabled = true
            await served.tell(.operatorChanged(admin.number, record))
            expect(try served.operate(apps), 2005, status: 401, field: "Authorization")
            await served.tell(.operatorChanged(admin.number, nil))
            expect(try served.operate(apps), 2005, status: 401, field: "Authorization")
        }
    }

    @Test("what the feed told before the snapshot was in place is newer than it")
    func early() {
        var known = KnownOperators()
        known.apply(.operatorSession(sender.key, nil))
        known.seed(with: Served.snapshot)
        #expect(known.holder(of: sender.key, at: 0) == nil)
        #expect(known.holder(of: Served.people[0].key, at: 0)?.name == Served.people[0].name)
        #expect(known.holder(of: Served.people[0].key, at: 999) != nil)
        #expect(known.holder(of: Served.people[0].key, at: 1_000) == nil)
        known.replace(with: Served.snapshot)
        #expect(known.holder(of: sender.key, at: 0)?.name == sender.name)
    }

    @Test("an operator logs out, and sets another password when it shows the former one")
    func own() async throws {
        try await Served.with { served in
            expectSuccess(try served.operate(.operate("DELETE", "/psp/admin/session", by: sender.token)))
            #expect(served.store.asked.operatorChanges == [.logOut(sender.key)])
            func set(_ former: String, _ password: String) throws -> HTTPReply {
                let body = #"{"old_password":"\#(former)","password":"\#(password)"}"#
                return try served.operate(.operate("PUT", "/psp/admin/session/password", body, by: sender.token))
            }
            expect(try set("wrong", "another password"), 2005, status: 401, field: "old_password")
            expect(try set(Served.passwordText, "elevenbytes"), 2103, status: 400, field: "password")
            expectSuccess(try set(Served.passwordText, "twelve bytes"), status: 202)
            guard
                case .setPassword(let made, insteadOf: Served.password, keeping: sender.key) = served.store.asked.operatorChanges
                    .last
            else {
                Issue.record("\(served.store.asked.operatorChanges)")
                return
            }
            #expect(made.accepts(Array("twelve bytes".utf8)) == true)
        }
    }

    @Test("operators are put, shown without their passwords, listed by pages, and their sessions are withdrawn")
    func manage() async throws {
        try await Served.with { served in
            let body = #"{"display_name":"Ann","role":"sender","org_id":"east","password":"a long password"}"#
            expectSuccess(try served.operate(.admin("PUT", "/psp/admin/operators/ann", body)), status: 202)
            guard case .put(OperatorName(unchecked: "ann"), let fields) = served.store.asked.operatorChanges.last else {
                Issue.record("\(served.store.asked.operatorChanges)")
                return
            }
            #expect(fields.displayName == "Ann" && fields.role == .sender && fields.scope == .set(OrgID(unchecked: "east")))
            #expect(fields.password?.accepts(Array("a long password".utf8)) == true)
            for (wrong, field) in [
                (#"{"role":"root"}"#, "role"), (#"{"password":"short"}"#, "password"), (#"{"password":null}"#, "password"),
            ] {
                expect(try served.operate(.admin("PUT", "/psp/admin/operators/ann", wrong)), 2103, status: 400, field: field)
            }
            let shown = try served.operate(.admin("GET", "/psp/admin/operators/sender@east"))
            let expected = """
                {"ret":"SUCCESS","data":{"name":"sender@east","display_name":"A person","role":"sender","org_id":"east",\
                "disabled":false,"created_at":\(noon)}}
                """
            #expect(shown.text == expected)
            expect(try served.operate(.admin("GET", "/psp/admin/operators/nobody")), 2209, status: 404, field: "name")
            var names: [String] = []
            var after = ""
            while true {
                let page = try served.operate(.admin("GET", "/psp/admin/operators?limit=4\(after)")).data()
                names += page["items"]?.elements.compactMap { $0["name"]?.string } ?? []
                guard let next = page["next"]?.string else { break }
                after = "&after=\(next)"
            }
            #expect(names == Served.people.map(\.name.text).sorted())
            let sessions = try served.operate(.admin("GET", "/psp/admin/operators/sender@east/sessions")).data()
            #expect(sessions["items"]?.elements.compactMap { $0["session_id"]?.string } == [sender.session().id.text])
            for (path, id) in [("sessions/s-1", OperatorSessionID("s-1")), ("sessions", nil)] {
                expectSuccess(try served.operate(.admin("DELETE", "/psp/admin/operators/sender@east/\(path)")), status: 202)
                #expect(served.store.asked.operatorChanges.last == .endSessions(sender.name, id))
            }
        }
    }

    @Test("a stream of events ends with its session, and with the role that allowed it", arguments: [true, false])
    func streams(endsSession: Bool) async throws {
        try await Served.with { served in
            let viewer = Served.Person(role: .viewer, scope: nil)
            let begun = try served.operate(.admin("POST", "/psp/admin/trace", #"{"device_token":"d"}"#)).data()
            let trace = try #require(begun["trace_id"]?.string)
            let connection = try RawConnection(port: served.adminPort)
            try connection.send(Call.operate("GET", "/psp/admin/trace/\(trace)/events", by: viewer.token).bytes)
            #expect(try connection.replyHead().status == 200)
            #expect(await served.admin.followerCount == 1)
            // Another's session is no matter.
            await served.tell(.operatorSession(sender.key, nil))
            #expect(await served.admin.followerCount == 1)
            if endsSession {
                await served.tell(.operatorSession(viewer.key, nil))
            } else {
                var record = viewer.record
                record.authority.scope = OrgID(unchecked: "east")
                await served.tell(.operatorChanged(viewer.number, record))
            }
            #expect(await served.admin.followerCount == 0)
            // The last chunk.
            #expect(try connection.readChunk().isEmpty)
        }
    }

    @Test("two of an address wait without a token; from elsewhere, and with one, others do")
    func strangers() async throws {
        let worker = PasswordWorker()
        let gate = Locked(false)
        let addresses = ["2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1::3", "2001:db8:0:2::1"].map { IPAddress($0) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for client in addresses.map({ PasswordWorker.Client.stranger($0) }) + [.admitted] {
                group.addTask {
                    do throws(Refusal) {
                        return try await worker.run(for: client) {
                            while !gate.withLock({ $0 }) {}
                            return true
                        }
                    } catch {
                        return false
                    }
                }
            }
            var results: [Bool] = []
            while let done = try await group.next() {
                results.append(done)
                gate.withLock { $0 = true }
            }
            #expect(results.count { !$0 } == 1)
        }
        // A place is free again, and want of memory is told as want of room.
        await #expect(throws: Refusal(.unavailable)) {
            let made: Bool = try await worker.run(for: .stranger(addresses[0])) { nil }
            Issue.record("made \(made)")
        }
    }

    @Test("more passwords than may wait are refused as unavailable")
    func bounded() async throws {
        let worker = PasswordWorker()
        let gate = Locked(false)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<PasswordWorker.most + 5 {
                group.addTask {
                    do throws(Refusal) {
                        return try await worker.run(for: .admitted) {
                            while !gate.withLock({ $0 }) {}
                            return true
                        }
                    } catch {
                        #expect(error.code == .unavailable)
                        // All that are refused are so before the first is done.
                        return false
                    }
                }
            }
            var refused = 0
            while let done = try await group.next() {
                if !done { refused += 1 }
                if refused == 5 { gate.withLock { $0 = true } }
            }
            #expect(refused == 5)
        }
    }
}
