import Base
import Push
import StoreContract
import Testing

/// The same text for Unicode, and two for everybody who compares bytes.
private let composed: ExactText = "caf\u{E9}"
private let decomposed: ExactText = "cafe\u{301}"

@Suite("Contract: what callers name is told apart by its bytes")
struct NameTests {
    private let app = AppKey(unchecked: "app")

    @Test("two tags of one look have two statistics, also when they are indexed, and after a restart", arguments: stores())
    func tags(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        try await fixture.port.push(.message(.organisation("root"), tag: composed))
        for _ in 0..<2 { try await fixture.port.push(.message(.organisation("east"), tag: decomposed)) }
        func check() async throws {
            let one = try await fixture.port.totals(app: app, tag: composed, from: nil, to: nil)
            let other = try await fixture.port.totals(app: app, tag: decomposed, from: nil, to: nil)
            #expect(one.tasks == 1 && one.counts.targeted == 3)
            #expect(other.tasks == 2 && other.counts.targeted == 4)
        }
        try await check()
        guard kind.claims([.restart]) else { return }
        try await fixture.restart()
        try await check()
    }

    @Test("two out_biz_no of one look are two tasks", arguments: stores())
    func outBizNo(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let request = PushRequest.message(.device("d1"), bizNo: composed)
        let first = try await port.push(request)
        #expect(try await port.push(.message(.device("d1"), bizNo: decomposed)) != first)
        #expect(await port.append(request) == .repeated(first))
    }

    @Test("configurations under two tags of one look stand beside each other", arguments: stores(.configurations))
    func configurations(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let one = try await port.push(.configuration(.device("d1"), tag: composed))
        let other = try await port.push(.configuration(.device("d1"), tag: decomposed))
        #expect(try await port.status(one) == .active)
        #expect(try await port.status(other) == .active)
        #expect(try await port.pendingTasks("d1") == [one, other])
    }

    @Test("a record's name is changed to another of the same look", arguments: stores())
    func displayNames(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        for name in [composed, decomposed] {
            var organisation = OrganisationChange()
            organisation.name = name.text
            _ = try await port.apply(.putOrganisation(OrgID(unchecked: "east"), organisation))
            #expect(ExactText(try await port.organisation(OrgID(unchecked: "east")).name) == name)
            try await port.changeApp("app") { $0.name = name.text }
            #expect(ExactText(try await port.app(app).name) == name)
        }
    }

    @Test("what comes back has the bytes that were sent", arguments: stores())
    func reports(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        for text in [composed, decomposed] {
            let task = try await port.push(.message(.device("d1"), tag: text, description: text.text))
            let report = try await port.report(task, to: app)
            #expect(report.tag == text)
            #expect(report.description.map { ExactText($0) } == text)
        }
    }
}
