import Push
import StoreContract
import Testing

@Suite("Contract: configurations")
struct ConfigurationTests {
    @Test(
        "a newer one supersedes the older one of the same app, target, tag and mode, and no other",
        arguments: stores(.configurations))
    func superseding(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        try await port.makeApp("second")
        let older = try await port.push(.configuration(.organisation("west")))
        let others = [
            try await port.push(.configuration(.organisation("west"), tag: "tag")),
            try await port.push(.configuration(.organisation("west"), testOnly: true)),
            try await port.push(.configuration(.organisation("root"))),
            try await port.push(.configuration(.device("d3"))),
            try await port.push(.configuration(.organisation("west"), from: "second")),
            try await port.push(.message(.organisation("west"))),
        ]
        _ = fixture.otherLoop.takeEvents()
        let newer = try await fixture.other.push(.configuration(.organisation("west"), text: "newer"))
        #expect(try await port.status(older) == .superseded)
        #expect(try await port.counts(older).parts == [.superseded: 1])
        #expect(try await port.pendingTasks("d3") == others + [newer])
        for task in others { #expect(try await port.status(task) == .active) }
        // Its end comes before what ended it.
        let told = fixture.otherLoop.takeEntries().compactMap { entry -> TaskID? in
            switch entry {
            case .ended(let task, _): task
            case .row(let row): row.task
            default: nil
            }
        }.filter { $0 == older || $0 == newer }
        #expect(told.suffix(2) == [older, newer])
    }

    @Test(
        "one that every device has is superseded all the same; an acknowledgement that comes later counts",
        arguments: stores(.configurations))
    func supersededDelivered(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let (first, second) = (try await port.connect("d1"), try await port.connect("d2"))
        let older = try await port.push(.configuration(.organisation("east")))
        let rows = try await second.read()
        first.settle(try await first.read())
        try await port.push(.configuration(.organisation("east")))
        #expect(try await port.counts(older).parts == [.delivered: 1, .superseded: 1])
        second.settle(rows)
        let report = try await port.report(older, to: nil)
        #expect(report.status == .superseded && report.counts.parts == [.delivered: 2])
        first.disconnect()
        second.disconnect()
    }

    @Test("the current one stays active when every device has it", arguments: stores(.configurations))
    func active(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let task = try await fixture.port.push(.configuration(.device("d1")))
        let session = try await fixture.port.connect("d1")
        session.disconnect(settling: try await session.read())
        let report = try await fixture.port.report(task, to: nil)
        #expect(report.status == .active && report.counts.parts == [.delivered: 1])
    }

    @Test("neither cancelling nor the expiry of the newest revives an older one", arguments: stores(.configurations))
    func notRevived(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        for target in [PushRequest.Target.organisation("east"), .organisation("west")] {
            try await port.push(.configuration(target))
            let newest = try await port.push(.configuration(target, expires: try await fixture.now + hour))
            if target == .organisation("east") { try await port.recall(newest) }
        }
        try await fixture.advance(by: 2 * hour)
        for token in ["d1", "d3"] { #expect(try await port.pendingTasks(token).isEmpty) }
        // Nor does whoever joins get one.
        for org in ["east", "west"] {
            try await port.makeDevice("new-\(org)", in: org)
            #expect(try await port.pendingTasks("new-\(org)").isEmpty)
        }
    }

    @Test("one that has expired stays expired when a newer one comes: no count falls back", arguments: stores(.configurations))
    func expiredIsNotSuperseded(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let older = try await fixture.port.push(.configuration(.organisation("west"), expires: try await fixture.now + hour))
        try await fixture.advance(by: 2 * hour)
        #expect(try await fixture.port.counts(older).parts == [.expired: 1])
        try await fixture.port.push(.configuration(.organisation("west")))
        let report = try await fixture.port.report(older, to: nil)
        #expect(report.status == .expired && report.counts.parts == [.expired: 1])
    }

    @Test("versions grow with every configuration, whatever its target", arguments: stores(.configurations, .payloads))
    func versions(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let targets: [PushRequest.Target] = [.organisation("root"), .user("u1"), .device("d1"), .organisation("east")]
        for (number, target) in targets.enumerated() {
            try await (number % 2 == 0 ? fixture.port : fixture.other).push(.configuration(target, text: "c\(number)"))
        }
        let session = try await fixture.port.connect("d1")
        let texts = try await session.read().map { String(decoding: $0.payload, as: UTF8.self) }
        let versions = texts.compactMap { text in
            text.split(separator: #""version":"#).last.flatMap { Int($0.prefix { $0.isNumber }) }
        }
        #expect(texts.count == 4 && versions.count == 4)
        #expect(versions == Set(versions).sorted() && (versions.last ?? .max) <= 1 << 53)
        session.disconnect()
    }

    // MARK: Joining

    @Test(
        "a device joins by being registered, moving, being given a user, becoming a test device, or with its organisation",
        arguments: stores(.configurations))
    func joining(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let east = try await port.push(.configuration(.organisation("east")))
        let user = try await port.push(.configuration(.user("u1")))
        let test = try await port.push(.configuration(.organisation("root"), testOnly: true))
        let message = try await port.push(.message(.organisation("east")))

        try await port.makeDevice("e1", in: "east")
        #expect(try await port.pendingTasks("e1") == [east])
        try await port.give("e1", to: "u1")
        #expect(try await port.pendingTasks("e1") == [east, user])
        try await port.change("e1") { $0.test = true }
        #expect(try await port.pendingTasks("e1") == [east, user, test])
        try await port.makeDevice("w1", in: "west")
        try await port.move("w1", to: "east")
        #expect(try await fixture.other.pendingTasks("w1") == [east])
        try await port.makeOrg("far")
        try await port.makeDevice("f1", in: "far", test: true)
        try await port.moveOrg("far", under: "east")
        #expect(try await fixture.other.pendingTasks("f1") == [east, test])

        for (task, devices) in [
            (east, ["d1", "d2", "e1", "f1", "w1"]), (user, ["d1", "d2", "e1"]), (test, ["d3", "e1", "f1"]),
            (message, ["d1", "d2"]),
        ] {
            #expect(try await port.recipients(task, .pending).sorted() == devices)
            let counts = try await port.counts(task)
            #expect(counts.targeted == devices.count && counts.parts == [.pending: devices.count])
        }
    }

    @Test("a device counts once however often it joins, and gets it each time that it joins", arguments: stores(.configurations))
    func joiningAgain(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let task = try await port.push(.configuration(.organisation("east")))
        let session = try await port.connect("d1")
        session.disconnect(settling: try await session.read())
        #expect(try await port.pendingTasks("d1").isEmpty)
        try await port.move("d1", to: "west")
        try await port.move("d1", to: "east")
        #expect(try await port.pendingTasks("d1") == [task])
        #expect(try await port.counts(task).parts == [.delivered: 1, .pending: 1])
        let again = try await port.connect("d1")
        again.disconnect(settling: try await again.read())
        #expect(try await port.counts(task).parts == [.delivered: 1, .pending: 1])
        #expect(try await port.pendingTasks("d1").isEmpty)
    }

    @Test("who joined gets what its task became: superseded, cancelled or expired", arguments: stores(.configurations))
    func joinedThenEnded(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let first = try await port.push(.configuration(.organisation("east"), tag: "first"))
        let second = try await port.push(.configuration(.organisation("east"), tag: "second"))
        let third = try await port.push(
            .configuration(.organisation("east"), tag: "third", expires: try await fixture.now + hour))
        try await port.move("d3", to: "east")
        #expect(try await port.pendingTasks("d3") == [first, second, third])
        let newest = try await port.push(.configuration(.organisation("east"), tag: "first"))
        try await port.recall(second)
        try await fixture.advance(by: 2 * hour)
        #expect(try await port.pendingTasks("d3") == [newest])
        for (task, state) in [(first, RecipientState.superseded), (second, .cancelled), (third, .expired)] {
            #expect(try await port.counts(task).parts == [state: 3])
        }
    }

    @Test(
        "an iOS device whose limit a configuration breaks is counted where it joins, and not sent it",
        arguments: stores(.configurations))
    func joiningOversize(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let task = try await fixture.port.push(.configuration(.organisation("west"), size: 300))
        try await fixture.port.move("d2", to: "west")
        #expect(try await fixture.port.pendingTasks("d2").isEmpty)
        #expect(try await fixture.port.counts(task).parts == [.pending: 1, .skippedOversize: 1])
        #expect(try await fixture.port.recipients(task, .skippedOversize) == ["d2"])
    }

    @Test(
        "the feed tells a connected device of what it joins, and then of its membership",
        arguments: stores(.configurations, .payloads))
    func joiningConnected(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let task = try await fixture.port.push(.configuration(.organisation("west")))
        let session = try await fixture.port.connect("d1")
        _ = fixture.loop.takeEvents()
        try await fixture.other.move("d1", to: "west")
        var row: Row?
        var membership: Membership?
        for entry in fixture.loop.takeEntries() {
            if case .row(let told) = entry { row = told }
            if case .membership(session.device, let told, _) = entry { membership = told }
        }
        #expect(membership != nil)
        let page = try await session.read()
        #expect(page.map(\.task) == [task])
        #expect(row?.position == page.first?.position && row?.payload == page.first?.payload)
        #expect(row?.topic == .configuration)
        session.disconnect()
    }

    @Test("those of a deleted organisation are cancelled", arguments: stores(.configurations))
    func deletedOrganisation(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let task = try await port.push(.configuration(.organisation("west")))
        try await port.move("d3", to: "east")
        try await port.removeOrg("west")
        #expect(try await port.status(task) == .cancelled)
        #expect(try await port.pendingTasks("d3").isEmpty)
        // What bears its name later is another one.
        try await port.makeOrg("west", under: "root")
        try await port.makeDevice("e", in: "west")
        #expect(try await port.pendingTasks("e").isEmpty)
        #expect(try await port.counts(task).targeted == 1)
    }

    @Test(
        "a device that joins a target outside the app's scope does not receive that app's configuration",
        arguments: stores(.configurations, .scopes, .holders))
    func scopeAtJoining(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        try await port.makeApp("part", scope: "east")
        let task = try await port.push(.configuration(.device("d1"), from: "part"))
        try await port.move("d1", to: "west")
        #expect(try await port.pendingTasks("d1") == [task])
        // The new holder of the token is outside the scope.
        try await port.give("d1", to: "u2")
        #expect(try await port.pendingTasks("d1").isEmpty)
        #expect(try await port.counts(task).parts == [.withdrawn: 1])
        // And joins where it comes inside.
        try await port.move("d1", to: "east")
        #expect(try await port.pendingTasks("d1") == [task])
        #expect(try await port.counts(task).parts == [.withdrawn: 1, .pending: 1])
    }
}
