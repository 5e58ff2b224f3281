import Base
import Crypto
import FaultVFS
import Foundation
import Postgres
import PostgresCluster
import Push
import StoreContract
import StoreCopying
import Testing

@testable import PostgresStore
@testable import SQLiteStore

/// An installation with the embedded store moves to one that nodes share, with everything: callers, devices and operators find
/// what they would have found.
@Suite("An embedded store is copied into a shared one")
struct CopyTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let first = UInt64(environment["PSP_SEED"] ?? "") ?? UInt64.random(in: 1...1_000_000)
    private static let count = UInt64(environment["PSP_SEEDS"] ?? "") ?? (environment["PSP_LONG_TESTS"] == "1" ? 64 : 3)

    /// Also with jobs that are not done yet, and after a crash.
    @Test("a random walk goes on in the shared store by the same model", arguments: first..<first + count)
    func walk(seed: UInt64) async throws {
        let walk = try await RandomWalk(.copied, seed: seed)
        try await walk.run(80)
        try await walk.restart()
        try await walk.run(80)
    }

    @Test("everything that callers and operators can ask is answered the same", arguments: [Ending.close, .crash])
    func everything(_ ending: Ending) async throws {
        let embedded = try SQLiteUnderTest(variation: 1)
        let fixture = try await StoreKind("embedded") { _ in embedded }.furnished()
        try await Story(fixture).happen()
        // What nobody has read may be lost in a crash.
        _ = try await Told.lines(by: embedded.port(at: 0, for: TestLoop()), TestLoop())
        let directory = try embedded.leave(after: ending)
        let shared = try await embedded.copied(from: directory)
        defer { shared.close() }
        let loops = (TestLoop(), TestLoop())
        let moved = try await Told.lines(by: shared.port(at: 0, for: loops.0), loops.0)
        // The source is left as it was.
        let source = try goBack(to: directory, embedded)
        defer { source.close() }
        let stayed = try await Told.lines(by: source.port(for: loops.1), loops.1)
        #expect(moved.count > 500)
        expectSame(moved, stayed)
    }

    /// A change of the directory of which something is left to do when the store ends.
    enum Change: String, CaseIterable, Sendable {
        case organisationMoves, deviceMoves, holderChanges, testEnds, organisationGoes

        fileprivate func make(by port: any StorePort) async throws {
            switch self {
            case .organisationMoves: try await port.moveOrg("inner", under: "west")
            case .deviceMoves: try await port.move("d3", to: "inner")
            case .holderChanges: try await port.give("d1", to: "u9")
            case .testEnds: try await port.change("d3") { $0.test = false }
            case .organisationGoes: try await port.removeOrg("empty")
            }
        }
    }

    @Test("what still follows from a change of the directory is done in the shared store", arguments: Change.allCases)
    func followUps(_ change: Change) async throws {
        // By small slices.
        let embedded = try SQLiteUnderTest(variation: 3)
        let fixture = try await StoreKind("embedded") { _ in embedded }.furnished()
        let port = fixture.port
        try await port.makeOrg("inner", under: "east")
        try await port.makeOrg("empty")
        for number in 0..<8 { try await port.makeDevice("i\(number)", in: "inner", user: "u1") }
        for number in 0..<4 {
            try await port.push(.message(.organisation("root"), testOnly: number % 2 == 0, tag: "t"))
            for target in ["west", "inner", "empty", "root"] {
                _ = await port.append(.configuration(.organisation(target), size: number % 2 == 0 ? 600 : 100, tag: "t\(number)"))
            }
            try await port.push(.configuration(.user("u1"), tag: "t\(number)"))
            try await port.push(.message(.device("d1")))
        }
        embedded.holdSlices(true)
        let waiting = Task { try? await change.make(by: port) }
        try await eventually("a slice is held back") { embedded.isHoldingSlice }
        // A clean end does all of it first.
        let directory = try embedded.leave(after: .crash)
        await waiting.value
        let left = try Database(path: directory.path + "/psp.db", role: .reader).number("SELECT count(*) FROM follow_up") ?? 0
        #expect(left > 0)

        let shared = try await embedded.copied(from: directory)
        defer { shared.close() }
        let source = try goBack(to: directory, embedded)
        defer { source.close() }
        let loops = [TestLoop(), TestLoop()]
        var told: [[String]] = []
        for (port, loop) in [(shared.port(at: 0, for: loops[0]), loops[0]), (source.port(for: loops[1]), loops[1])] {
            // A further change comes after what is left of the one before. What both have done since has other positions.
            try await loop.follow(port)
            try await port.makeOrg("last")
            told.append(try await Told.lines(by: port, loop, ofOnePast: false))
        }
        expectSame(told[0], told[1])
    }

    /// The embedded store again, as who goes back to it opens it: not before it is no longer marked as moved.
    private func goBack(to directory: TemporaryDirectory, _ embedded: SQLiteUnderTest) throws -> SQLiteStore {
        var options = SQLiteStore.Options()
        options.clocks = embedded.clocks
        let refusal = #expect(throws: SQLiteStoreError.self) {
            try SQLiteStore.open(directory: directory.path, options: options).close()
        }
        #expect(refusal?.text.english.contains("was moved to postgres://") == true)
        #expect(unlink(directory.path + "/psp.moved") == 0)
        return try SQLiteStore.open(directory: directory.path, options: options)
    }

    private func expectSame(_ moved: [String], _ stayed: [String]) {
        for (moved, stayed) in zip(moved, stayed) where moved != stayed {
            Issue.record("the shared store says \(moved), and the embedded one \(stayed)")
        }
        #expect(moved.count == stayed.count)
    }
}

/// What happens in a store that is to be copied: something of everything that it keeps.
private struct Story {
    private let fixture: ContractFixture
    private let port: any StorePort
    private let here = IPAddress("192.0.2.7")

    init(_ fixture: ContractFixture) {
        self.fixture = fixture
        port = fixture.port
    }

    func happen() async throws {
        try await changeDirectory()
        try await push()
        try await fixture.advance(by: hour)
        try await configure()
        try await setClock()
        try await administer()
        try await sign()
        try await importDevices()
        try await moveOn()
    }

    private func changeDirectory() async throws {
        try await port.makeOrg("inner", under: "east")
        try await port.makeOrg("gone", under: "west")
        try await port.makeDevice("d4", in: "inner", .ios, user: "u2", test: true)
        try await port.makeDevice("d5", in: "gone", user: "u\u{20AC}")
        try await port.move("d5", to: "west")
        try await port.removeOrg("gone")
        try await port.changeApp("bounded") { app in
            (app.name, app.interfaces, app.hmacOnly) = ("B\u{0}d", [.message], true)
            app.addresses = .set([AddressRange("192.0.2.0/24"), AddressRange("2001:db8::/32")].compactMap { $0 })
            (app.perSecond, app.perDay) = (.set(50), .set(1_000))
            app.scope = .set(OrgID(unchecked: "east"))
        }
        try await port.makeApp("old")
        _ = try await port.apply(.rotateSecret(AppKey(unchecked: "app"), secret: "another", again: false))
        port.secretUsed("another", by: AppKey(unchecked: "app"), on: 20_000)
        let certificate = try #require(CertificateFingerprint(bytes: Array(0..<32)))
        try await port.change("d1") { $0.certificate = .set(certificate) }
    }

    private func push() async throws {
        let origin = PushRequest.Origin(client: here, requestID: "r-1")
        let first = try await port.push(
            .message(.organisation("root"), tag: "t", description: "words", bizNo: "order-1", origin: origin))
        let large = try await port.push(.message(.organisation("root"), size: 600, tag: "t"))
        let unicasts = [
            try await port.push(.message(.device("d1"), bizNo: "order-2")), try await port.push(.message(.device("d1"))),
            try await port.push(.message(.device("d1"), tag: "u")), try await port.push(.message(.user("u1"))),
        ]
        try await port.push(.message(.organisation("root"), testOnly: true))
        try await port.push(.message(.device("d2"), from: "old", tag: "t", bizNo: "order-3"))
        try await port.push(.message(.device("d1"), from: "bounded"))
        try await port.push(.message(.device("d3"), expires: try await fixture.now + 1_000))
        let cancelled = try await port.push(.message(.organisation("west"), tag: "t"))
        try await port.cancel(cancelled, by: AppKey(unchecked: "app"))
        _ = try await port.apply(.removeApp(AppKey(unchecked: "old")))

        let session = try await port.connect("d1")
        let rows = try await session.read()
        func settle(_ task: TaskID, _ kind: Delivery.Kind) { session.settle(rows.filter { $0.task == task }, kind) }
        // Not in their order: some are beyond the cursor.
        settle(unicasts[1], .delivered)
        settle(large, .rejected(reasonCode: 0x97))
        settle(unicasts[2], .skipped)
        #expect(try await session.tell(first, .opened, "a \u{1F600}") == .counted)
        session.disconnect()
        let other = try await port.connect("d3")
        other.settle(try await other.read().filter { $0.task == first })
        #expect(try await other.tell(first, .failed) == .counted)
        other.disconnect()
        let phone = try await port.connect("d2")
        phone.settle(try await phone.read())
        phone.disconnect()
    }

    private func configure() async throws {
        try await port.push(.configuration(.organisation("east"), tag: "c", bizNo: "order-4", text: "1"))
        try await port.push(.configuration(.organisation("east"), tag: "c", text: "2"))
        try await port.push(.configuration(.organisation("west"), size: 600, text: "3"))
        try await port.push(.configuration(.device("d3"), text: "4"))
        try await port.push(.configuration(.user("u1"), testOnly: false, tag: "c", text: "5"))
        let phone = try await port.connect("d1")
        phone.settle(try await phone.read().filter { $0.topic == .configuration })
        phone.disconnect()
        // Those that come join, and what was pending for another holder is withdrawn.
        try await port.move("d3", to: "inner")
        try await port.makeDevice("d6", in: "west", .ios)
        try await port.give("d1", to: "u9")
        try await port.change("d4") { $0.test = false }
        try await port.moveOrg("inner", under: "west")
        try await port.removeDevice("d6")
    }

    /// The wall clock jumps, store time follows it in the end, and rows of all these times are there.
    private func setClock() async throws {
        try await fixture.step(by: -3 * hour)
        try await port.push(.message(.organisation("root"), tag: "t", bizNo: "order-5"))
        try await fixture.advance(by: hour)
        try await fixture.step(by: 40 * hour)
        try await port.push(.message(.organisation("root"), tag: "t", expires: try await fixture.now + 90 * hour))
        try await port.push(.message(.device("d3")))
        fixture.port.record(AuditEntry(.installation, .deviceRead, AuditTarget(.device, "d1")))
        _ = try await port.acceptWallClock()
        try await port.push(.message(.organisation("root"), tag: "t"))
        try await fixture.step(by: 5_000)
        try await port.push(.message(.device("d3"), tag: "u"))
    }

    private func administer() async throws {
        let ann = try await fixture.makeOperator("ann", .sender, in: "east")
        try await fixture.makeOperator("bob", .administrator)
        try await fixture.makeOperator("zoe", .viewer)
        _ = try await port.apply(.remove(OperatorName(unchecked: "zoe")), by: .installation)
        let password = try #require(
            try await fixture.newPort().loop.follow(fixture.port).operators.first { $0.name.text == "ann" }
        ).password
        let session = OperatorSession(
            key: OperatorSessionKey(token: "t"), holder: try #require(ann.number), createdAt: 5, expires: .max, client: here)
        _ = try await port.apply(.logIn(session, by: password), by: ann)
        let call = OperatorCall(ann.caller, client: IPAddress("2001:db8::9"), requestID: "r-9")
        guard case .stored(let task) = await port.append(.message(.organisation("east"), tag: "t", bizNo: "order-6"), by: call)
        else { throw UnexpectedAnswer("not stored") }
        _ = try? await port.cancel(TaskID("nothing"), by: call)
        _ = try await port.cancel(task, by: .installation)
        try await port.count([
            RefusalCount(RefusalCount.Key(.callers, name: "mallory", client: here, code: 2_005), minute: 29_000_000, count: 7),
            RefusalCount(
                RefusalCount.Key(.operators, name: nil, client: IPAddress("2001:db8::1"), code: 2_005), minute: 29_000_001,
                count: 1),
            RefusalCount(RefusalCount.Key(othersOf: .callers), minute: 29_000_001, count: 3),
        ])
    }

    private func sign() async throws {
        let plain = PushRequest.message(.device("d3"))
        for number in 1...3 {
            let nonce = UsedNonce(
                try #require(Nonce("nonce-00000\(number)")), timestamp: try await fixture.now, window: 600_000)
            try await port.push(
                PushRequest(
                    app: plain.app, interface: plain.interface, target: plain.target, payload: plain.payload, nonce: nonce))
        }
    }

    private func importDevices() async throws {
        let lines = (0..<40).map { String.deviceLine("i\($0)", in: $0 % 3 == 0 ? "west" : "east") } + ["no JSON"]
        let (id, port) = (ImportID.drawn(), port)
        _ = try await port.importLines(lines, as: id, patience: .zero)
        try await eventually("its end") { try await port.importReport(id).state == .done }
    }

    private func moveOn() async throws {
        try await port.moveOrg("west", under: nil)
        try await port.push(.message(.organisation("west"), tag: "t", bizNo: "order-7"))
    }
}
