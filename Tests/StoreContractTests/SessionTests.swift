import Base
import Push
import StoreContract
import Testing

@Suite("Contract: sessions and takeover")
struct SessionTests {
    /// A connection that has to wait; what became of it.
    private func connect(
        _ token: String, _ port: any StorePort, as id: SessionID = DeviceSession.newID()
    ) -> Task<Result<Attached, AttachError>, Never> {
        Task {
            do throws(AttachError) {
                return .success(try await port.attach(DeviceToken(unchecked: token), secret: Array("secret".utf8), session: id))
            } catch {
                return .failure(error)
            }
        }
    }

    private func failure(of waiting: Task<Result<Attached, AttachError>, Never>) async -> AttachError? {
        if case .failure(let error) = await waiting.value { error } else { nil }
    }

    @Test("wrong secrets and unknown devices are refused", arguments: stores())
    func refusals(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        for (token, secret, error) in [
            ("d1", "wrong", AttachError.wrongSecret), ("d1", "", .wrongSecret), ("no", "secret", .unknownDevice),
        ] {
            await #expect(throws: error) {
                _ = try await fixture.port.attach(
                    DeviceToken(unchecked: token), secret: Array(secret.utf8), session: DeviceSession.newID())
            }
        }
        #expect(try await !fixture.port.device(DeviceToken(unchecked: "d1")).online)
    }

    /// What a device of that secret and certificate is told.
    private func refusal(
        _ port: any StorePort, _ secret: String, _ certificate: CertificateFingerprint?
    ) async -> AttachError? {
        let id = DeviceSession.newID()
        do throws(AttachError) {
            let attached = try await port.attach(
                DeviceToken(unchecked: "d1"), secret: Array(secret.utf8), certificate: certificate, session: id)
            port.detach(attached.device, session: id, settledUpTo: attached.settledUpTo)
            return nil
        } catch {
            return error
        }
    }

    @Test("the certificate that the record names stands for the secret, until a new holder or secret comes", arguments: stores())
    func certificates(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let own = CertificateFingerprint(bytes: [UInt8](repeating: 1, count: 32))
        let other = CertificateFingerprint(bytes: [UInt8](repeating: 2, count: 32))
        let named = try #require(own)
        #expect(await refusal(port, "", named) == .wrongSecret)
        try await port.change("d1") { $0.certificate = .set(named) }
        #expect(try await port.device(DeviceToken(unchecked: "d1")).certificate == named)
        #expect(await refusal(port, "", named) == nil)
        #expect(await refusal(port, "secret", nil) == nil)
        #expect(await refusal(port, "", other) == .wrongSecret)
        #expect(await refusal(port, "", nil) == .wrongSecret)
        // The same secret, and another organisation, change nothing of it.
        try await port.change("d1") { $0.secret = "secret" }
        try await port.move("d1", to: "west")
        #expect(await refusal(port, "", named) == nil)
        try await port.change("d1") { $0.secret = "another" }
        #expect(await refusal(port, "", named) == .wrongSecret)
        #expect(try await port.device(DeviceToken(unchecked: "d1")).certificate == nil)
        // With the new secret, or the new holder, it stays.
        try await port.change("d1") { ($0.secret, $0.certificate) = ("third", .set(named)) }
        #expect(await refusal(port, "", named) == nil)
        try await port.change("d1") { ($0.user, $0.certificate) = (.set(UserID(unchecked: "u2")), .set(named)) }
        #expect(await refusal(port, "", named) == nil)
        try await port.give("d1", to: "u3")
        #expect(await refusal(port, "", named) == .wrongSecret)
        #expect(await refusal(port, "third", nil) == nil)
        try await port.change("d1") { $0.certificate = .set(named) }
        try await port.change("d1") { $0.certificate = .clear }
        #expect(await refusal(port, "", named) == .wrongSecret)
    }

    @Test("a connection ends when the certificate that may have let it in is another one", arguments: stores())
    func certificateWithdrawn(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let named = try #require(CertificateFingerprint(bytes: [UInt8](repeating: 1, count: 32)))
        let session = try await fixture.port.connect("d1")
        try await fixture.port.change("d1") { $0.certificate = .set(named) }
        #expect(!fixture.loop.wasAskedToClose(session.id, .withdrawn))
        try await fixture.port.change("d1") { $0.certificate = .clear }
        try await fixture.loop.waitForClose(of: session.id, .withdrawn)
    }

    @Test("a device is online from its connection to its end, in its organisations too", arguments: stores())
    func online(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        func online() async throws -> [Int] {
            var counts = [try await fixture.port.device(DeviceToken(unchecked: "d1")).online ? 1 : 0]
            for org in ["root", "east", "west"] {
                counts.append(try await fixture.port.organisation(OrgID(unchecked: org)).online)
            }
            return counts
        }
        #expect(try await online() == [0, 0, 0, 0])
        let session = try await fixture.port.connect("d1")
        #expect(try await online() == [1, 1, 1, 0])
        try await fixture.port.move("d1", to: "west")
        #expect(try await online() == [1, 1, 0, 1])
        session.disconnect()
        try await eventually("its end is known") { try await online() == [0, 0, 0, 0] }
    }

    @Test("last seen is the time of the connection and of its end", arguments: stores(.lastSeen))
    func lastSeen(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        func lastSeen() async throws -> Int64? { try await fixture.port.device(DeviceToken(unchecked: "d1")).lastSeen }
        #expect(try await lastSeen() == nil)
        try await fixture.advance(by: 2 * hour)
        let before = try await fixture.now
        let session = try await fixture.port.connect("d1")
        let connected = try #require(try await lastSeen())
        let after = try await fixture.now
        #expect((before...after).contains(connected))
        try await fixture.advance(by: 2 * hour)
        let end = try await fixture.now
        session.disconnect()
        try await eventually("its end is known") { try await lastSeen() ?? 0 >= end }
    }

    @Test("pages are in order, as long as they were asked for at most, and together they are everything", arguments: stores())
    func pages(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        var tasks: [TaskID] = []
        for number in 0..<12 {
            let target: PushRequest.Target = [.device("d1"), .user("u1"), .organisation("root")][number % 3]
            tasks.append(try await fixture.port.push(.message(target)))
            try await fixture.port.push(.message(.device("d3")))
        }
        let session = try await fixture.other.connect("d1")
        for limit in [1, 2, 5, 12, 100] {
            let rows = try await session.reread(limit: limit)
            #expect(rows.map(\.task) == tasks)
            #expect(rows.map(\.position) == rows.map(\.position).sorted())
            let page = try await fixture.other.pending(for: session.device, after: session.attached.settledUpTo, limit: limit)
            #expect(page.rows.count <= limit)
            #expect(page.rows.last.map { $0.position <= page.lookedUpTo } ?? true)
        }
        session.disconnect()
    }

    @Test("what was acknowledged out of order is known to the next connection", arguments: stores())
    func beyond(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        for _ in 0..<6 { try await fixture.port.push(.message(.device("d1"))) }
        let first = try await fixture.port.connect("d1")
        let rows = try await first.read()
        first.settle([rows[0], rows[1], rows[3], rows[5]])
        first.disconnect()
        let second = try await fixture.other.connect("d1")
        #expect(second.attached.settledUpTo >= rows[1].position && second.attached.settledUpTo < rows[2].position)
        #expect(Set(second.attached.settledBeyond).isSubset(of: [rows[3].position, rows[5].position]))
        #expect(try await second.read().map(\.task) == [rows[2].task, rows[4].task])
        second.settle(second.outstanding)
        second.disconnect()
        #expect(try await fixture.port.pendingTasks("d1").isEmpty)
    }

    // MARK: Takeover

    @Test(
        "a second connection takes over when the first has settled, and receives nothing that the first acknowledged",
        arguments: stores(), [true, false])
    func takeover(_ kind: StoreKind, atTheOther: Bool) async throws {
        let fixture = try await kind.furnished()
        let tasks = [try await fixture.port.push(.message(.device("d1"))), try await fixture.port.push(.message(.device("d1")))]
        let first = try await fixture.port.connect("d1")
        let rows = try await first.read()
        let (port, id) = (atTheOther ? fixture.other : fixture.port, DeviceSession.newID())
        let waiting = connect("d1", port, as: id)
        try await fixture.loop.waitForClose(of: first.id, .takenOver)
        first.disconnect(settling: [rows[0]])
        let second = DeviceSession(port, id, try await waiting.value.get())
        #expect(second.device == first.device)
        #expect(try await second.read().map(\.task) == [tasks[1]])
        #expect(try await fixture.port.counts(tasks[0]).delivered == 1)
        second.disconnect()
    }

    @Test("the last of three connections wins; the one that waited is told", arguments: stores())
    func three(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let first = try await fixture.port.connect("d1")
        let second = connect("d1", fixture.other)
        try await fixture.loop.waitForClose(of: first.id, .takenOver)
        let id = DeviceSession.newID()
        let third = connect("d1", fixture.port, as: id)
        #expect(await failure(of: second) == .takenOver)
        first.disconnect()
        let session = DeviceSession(fixture.port, id, try await third.value.get())
        // What the first says twice frees nobody.
        first.disconnect()
        let fourth = connect("d1", fixture.other)
        try await fixture.loop.waitForClose(of: id, .takenOver)
        session.disconnect()
        _ = try await fourth.value.get()
    }

    @Test("of many connections of one device one has it, and the others are told", arguments: stores())
    func race(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let first = try await fixture.port.connect("d1")
        let ends = Locked<[(session: SessionID, end: Result<Attached, AttachError>, port: any StorePort)]>([])
        for number in 0..<30 {
            let (id, port) = (DeviceSession.newID(), number % 2 == 0 ? fixture.port : fixture.other)
            let waiting = connect("d1", port, as: id)
            Task {
                let end = await waiting.value
                ends.withLock { $0.append((id, end, port)) }
            }
        }
        try await eventually("all but one are refused") { ends.withLock { $0.count } == 29 }
        #expect(ends.withLock { $0 }.allSatisfy { if case .failure(.takenOver) = $0.end { true } else { false } })
        first.disconnect()
        try await eventually("the last has it") { ends.withLock { $0.count } == 30 }
        let last = try #require(ends.withLock { $0.last })
        let winner = DeviceSession(last.port, last.session, try last.end.get())
        #expect(try await fixture.port.device(DeviceToken(unchecked: "d1")).online)
        winner.disconnect()
        try await eventually("its end is known") { try await !fixture.port.device(DeviceToken(unchecked: "d1")).online }
    }

    @Test("a device that is deleted while a connection waits is not attached", arguments: stores())
    func deleted(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let first = try await fixture.port.connect("d1")
        let second = connect("d1", fixture.other)
        try await fixture.loop.waitForClose(of: first.id, .takenOver)
        try await fixture.port.removeDevice("d1")
        first.disconnect()
        #expect(await failure(of: second) == .unknownDevice)
    }

    @Test("a secret that changes while a connection waits is the one that counts", arguments: stores())
    func secret(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let first = try await fixture.port.connect("d1")
        let second = connect("d1", fixture.other)
        try await fixture.loop.waitForClose(of: first.id, .takenOver)
        try await fixture.port.change("d1") { $0.secret = "other" }
        first.disconnect()
        #expect(await failure(of: second) == .wrongSecret)
    }

    @Test(
        "a device that is registered anew while a connection waits is another device, and has nothing of the old one's",
        arguments: stores())
    func registeredAnew(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        try await fixture.port.push(.message(.device("d1")))
        let first = try await fixture.port.connect("d1")
        let id = DeviceSession.newID()
        let waiting = connect("d1", fixture.other, as: id)
        try await fixture.loop.waitForClose(of: first.id, .takenOver)
        try await fixture.port.removeDevice("d1")
        try await fixture.port.makeDevice("d1", in: "root")
        first.disconnect()
        let second = DeviceSession(fixture.other, id, try await waiting.value.get())
        #expect(second.device != first.device)
        #expect(try await second.read().isEmpty)
        second.disconnect()
    }
}
