import Push
import StoreContract
import Testing

@Suite("Contract: a change of holder")
struct HolderTests {
    @Test(
        "everything pending is withdrawn when the user is changed or cleared, or the device is registered anew",
        arguments: stores(.holders), 0..<3)
    func withdrawn(_ kind: StoreKind, way: Int) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let tasks = [
            try await port.push(.message(.device("d1"))), try await port.push(.message(.user("u1"))),
            try await port.push(.message(.organisation("root"))),
        ]
        let delivered = try await port.push(.message(.device("d1")))
        let session = try await port.connect("d1")
        let rows = try await session.read()
        session.settle(rows.filter { $0.task == delivered })
        switch way {
        case 0: try await fixture.other.give("d1", to: "u2")
        case 1: try await fixture.other.give("d1", to: nil)
        default:
            try await fixture.other.removeDevice("d1")
            try await fixture.other.makeDevice("d1", in: "east", user: "u1")
        }
        try await fixture.loop.waitForClose(of: session.id, .withdrawn)
        // Handed over before: the old holder may still have seen it, but nothing counts after withdrawal.
        session.settle(rows)
        session.disconnect()
        #expect(try await fixture.other.pendingTasks("d1").isEmpty)
        #expect(try await port.counts(tasks[0]).parts == [.withdrawn: 1])
        #expect(try await port.counts(tasks[1]).parts == [.withdrawn: 1, .pending: 1])
        #expect(try await port.counts(tasks[2]).parts == [.withdrawn: 1, .pending: 2])
        #expect(try await port.counts(delivered).parts == [.delivered: 1])
        for task in tasks { #expect(try await port.recipients(task, .withdrawn) == ["d1"]) }
        #expect(try await port.status(tasks[0]) == .completed)
    }

    @Test("the new holder is a new device in every count", arguments: stores(.holders))
    func anew(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let before = try await port.connect("d1")
        try await port.give("d1", to: "u2")
        before.disconnect()
        let task = try await port.push(.message(.organisation("east")))
        let after = try await port.connect("d1")
        #expect(after.device != before.device)
        #expect(try await port.counts(task).targeted == 2)
        // A fact of the old holder's is not the new one's.
        #expect(try await before.tell(task, .opened) == .refused)
        #expect(try await port.counts(task).opened == 0)
        after.settle(try await after.read())
        #expect(try await port.counts(task).parts == [.delivered: 1, .pending: 1])
        #expect(try await port.refusal(of: .message(.user("u3"))).code == .userHasNoDevice)
        #expect(try await port.counts(try await port.push(.message(.user("u1")))).targeted == 1)
        #expect(try await port.counts(try await port.push(.message(.user("u2")))).targeted == 1)
        after.disconnect()
    }

    @Test(
        "the new holder gets the current configurations, those addressed to its token included",
        arguments: stores(.holders, .configurations))
    func configurations(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let organisation = try await port.push(.configuration(.organisation("root")))
        let token = try await port.push(.configuration(.device("d1")))
        let user = try await port.push(.configuration(.user("u1")))
        let session = try await port.connect("d1")
        session.disconnect(settling: try await session.read())
        try await port.give("d1", to: "u2")
        #expect(try await port.pendingTasks("d1") == [organisation, token])
        #expect(try await port.counts(organisation).parts == [.delivered: 1, .pending: 3])
        #expect(try await port.counts(token).parts == [.delivered: 1, .pending: 1])
        #expect(try await port.counts(user).parts == [.delivered: 1, .pending: 1])
        #expect(try await port.recipients(token, .pending) == ["d1"])
        #expect(try await port.recipients(token, .delivered) == ["d1"])
    }

    @Test(
        "in a task's lists a former holder's device is told from the present holder's",
        arguments: stores(.holders, .configurations))
    func formerHolder(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let task = try await port.push(.configuration(.organisation("east")))
        let before = try await port.connect("d1")
        before.settle(try await before.read())
        #expect(try await before.tell(task, .applied) == .counted)
        try await port.give("d1", to: "u2")
        before.disconnect()
        let after = try await port.connect("d1")
        after.settle(try await after.read())
        #expect(try await after.tell(task, .applied) == .counted)
        #expect(try await fixture.counts(task, by: fixture.other) { $0.delivered == 2 }.delivered == 2)
        for state in [RecipientState.delivered, .applied] {
            let page = try await fixture.other.recipients(of: task, to: nil, state: state, after: nil, limit: 10)
            #expect(page.items.filter { $0.device.text == "d1" }.map(\.isFormer) == [true, false], "\(state)")
        }
        after.disconnect()
    }

    @Test("the first assignment of a user withdraws nothing and closes nothing", arguments: stores(.holders))
    func firstUser(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let task = try await port.push(.message(.device("d3")))
        let session = try await port.connect("d3")
        try await port.give("d3", to: "u3")
        let forUser = try await port.push(.message(.user("u3")))
        #expect(try await session.read().map(\.task) == [task, forUser])
        // The same user again is no change of holder.
        try await port.give("d3", to: "u3")
        try await port.change("d3") { $0.user = .keep }
        #expect(try await session.reread().map(\.task) == [task, forUser])
        #expect(!fixture.loop.wasAskedToClose(session.id, .withdrawn))
        session.disconnect()
    }

    @Test(
        "deleting a device and changing its secret close its connection; the same secret again and moving do not",
        arguments: stores())
    func closing(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let session = try await port.connect("d3")
        try await fixture.other.move("d3", to: "east")
        try await fixture.other.change("d3") { $0.secret = "secret" }
        #expect(!fixture.loop.wasAskedToClose(session.id, .withdrawn))
        try await fixture.other.change("d3") { $0.secret = "other" }
        try await fixture.loop.waitForClose(of: session.id, .withdrawn)
        session.disconnect()
        await #expect(throws: AttachError.wrongSecret) { _ = try await port.connect("d3") }
        try await fixture.other.change("d3") { $0.secret = "secret" }

        let second = try await fixture.other.connect("d3")
        try await port.removeDevice("d3")
        try await fixture.otherLoop.waitForClose(of: second.id, .withdrawn)
        second.disconnect()
        await #expect(throws: AttachError.unknownDevice) { _ = try await port.connect("d3") }
    }

    @Test(
        "an operator's word closes the connection of a device, whichever loop it is on, and the device may come back",
        arguments: stores())
    func disconnecting(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let task = try await port.push(.message(.device("d3")))
        for (asked, served, loop) in [(port, port, fixture.loop), (port, fixture.other, fixture.otherLoop)] {
            let session = try await served.connect("d3")
            try await asked.disconnect(DeviceToken(unchecked: "d3"))
            #expect(loop.wasAskedToClose(session.id, .requested))
            session.disconnect()
        }
        // Nobody is connected: nothing to do.
        try await port.disconnect(DeviceToken(unchecked: "d3"))
        #expect(try await port.pendingTasks("d3") == [task])
        await #expect(throws: StoreError.refused(Refusal(.noSuchDevice, field: "device_token"))) {
            try await port.disconnect(DeviceToken(unchecked: "nobody"))
        }
    }

    @Test("a device that is no test device any more has what was pending in test mode withdrawn", arguments: stores(.holders))
    func testMode(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let test = try await port.push(.message(.organisation("root"), testOnly: true))
        let real = try await port.push(.message(.organisation("root")))
        let session = try await port.connect("d3")
        let rows = try await session.read()
        try await port.change("d3") { $0.test = false }
        #expect(try await session.reread().map(\.task) == [real])
        #expect(try await port.counts(test).parts == [.withdrawn: 1])
        // A late PUBACK does not take it back.
        session.settle(rows)
        #expect(try await port.counts(test).parts == [.withdrawn: 1])
        #expect(try await port.counts(real).parts == [.delivered: 1, .pending: 2])
        try await port.change("d3") { $0.test = true }
        #expect(try await session.reread().isEmpty)
        session.disconnect()
    }

    @Test(
        "a configuration that was withdrawn with test mode is pending again when the device joins again",
        arguments: stores(.holders, .configurations))
    func pendingAgain(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let task = try await port.push(.configuration(.organisation("root"), testOnly: true))
        try await port.change("d3") { $0.test = false }
        #expect(try await port.counts(task).parts == [.withdrawn: 1])
        #expect(try await port.pendingTasks("d3").isEmpty)
        try await port.change("d3") { $0.test = true }
        #expect(try await port.counts(task).parts == [.pending: 1])
        #expect(try await port.pendingTasks("d3") == [task])
    }

    @Test("a holder that is gone is given nothing more, not even by a page that is asked for late", arguments: stores())
    func retiredPages(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        try await fixture.port.push(.message(.device("d1")))
        let session = try await fixture.port.connect("d1")
        try await fixture.other.give("d1", to: "u2")
        #expect(try await session.read().isEmpty)
        session.disconnect()
    }
}
