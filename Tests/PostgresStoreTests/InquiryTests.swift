import PostgresCluster
import Push
import StoreContract
import StoreCore
import Testing

@testable import PostgresStore

/// What is asked at one node about a device whose connection another node has.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct InquiryTests {
    private let phone = DeviceToken(unchecked: "phone")

    @Test func theOtherNodesLoopTellsWhatIsOnItsWay() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let session = try await DeviceSession.connect("phone", b.port)
            let task = try await a.push(.message(.device("phone")))
            try await b.loop.waitForRow(of: task)
            let row = try #require(b.loop.takeEvents().flatMap(\.rows).first)
            let told = Unacknowledged(messages: [Unacknowledged.Message(position: row.position, age: 3_000)])
            async let explained = a.port.explain(task, to: phone, patience: .seconds(60))
            async let counted = a.port.backlog(of: phone, patience: .seconds(60))
            try await StoreContract.eventually("both have asked") { b.loop.inquiries(about: session) == 2 }
            b.port.tell(told, of: session.id)
            let explanation = try await explained
            #expect(explanation.reason == .sent)
            #expect(explanation.device.node == NodeName("b"))
            #expect(explanation.wait?.unacknowledged == told)
            #expect(try await counted.unacknowledged == told)
            #expect(a.loop.inquiries(about: session) == 0, "nobody else is asked")
        }
    }

    @Test func whatWasAcknowledgedBeforeTheAnswerCounts() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let session = SessionID(raw: 7)
            let device = try await b.connect("phone", as: session)
            let task = try await a.push(.message(.organisation("police")))
            try await b.loop.waitForRow(of: task)
            let row = try #require(b.loop.takeEvents().flatMap(\.rows).first)
            async let explained = a.port.explain(task, to: phone, patience: .seconds(60))
            try await b.loop.waitForEntry("an inquiry") { $0.isInquiry(about: device.device, session) }
            b.port.settle([Delivery(device: device.device, position: row.position, settledUpTo: row.position, kind: .delivered)])
            b.port.tell(.none, of: session)
            #expect(try await explained.state == .delivered)
        }
    }

    @Test func aConnectionOfAnotherNodeIsClosedWhenTheCallReturns() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let session = SessionID(raw: 7)
            let device = try await b.connect("phone", as: session)
            try await a.port.disconnect(phone, by: .installation)
            #expect(b.loop.wasAskedToClose(session, .requested))
            b.port.detach(device.device, session: session, settledUpTo: device.settledUpTo)
            try await eventually("it is offline") { try await !a.port.device(phone, within: nil).online }
            // One that has no connection is left alone.
            try await a.port.disconnect(phone, by: .installation)
            _ = try await a.connect("phone")
            await #expect(throws: StoreError.refused(Refusal(.noSuchDevice, field: "device_token"))) {
                try await a.port.disconnect(DeviceToken(unchecked: "nothing"), by: .installation)
            }
        }
    }

    @Test func aNodeThatIsDeadIsNotWaitedForLongerThanItsLease() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            _ = try await b.connect("phone")
            let task = try await a.push(.message(.device("phone")))
            let police = OrgID(unchecked: "police")
            #expect(try await a.port.organisation(police).online == 1)
            b.store.end(leaving: false)

            let untold = try await a.port.explain(task, to: phone, patience: .milliseconds(50))
            #expect(untold.reason == .untold)
            #expect(untold.device.node == NodeName("b"))
            try await a.port.disconnect(phone, by: .installation)
            try await eventually("its lease is over") { try await !a.port.device(phone, within: nil).online }
            #expect(try await a.port.organisation(police).online == 0)
            #expect(try await a.port.devices(DeviceFilter(online: true), after: nil, limit: 10).items.isEmpty)
            #expect(try await a.port.explain(task, to: phone, patience: .seconds(60)).reason == .offline)
            #expect(try await a.port.backlog(of: phone, patience: .seconds(60)).pending == 1)
        }
    }

    @Test func nodesTellHowManyDevicesAreConnectedToThem() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            var traffic = OrganisationChange()
            traffic.name = "Traffic"
            traffic.parent = .set(OrgID(unchecked: "police"))
            _ = try await a.port.apply(.putOrganisation(OrgID(unchecked: "traffic"), traffic))
            try await a.port.putDevice("car", in: "traffic")
            let database = try await a.database()
            let told = "SELECT coalesce(string_agg(devices::text, ' ' ORDER BY org, node), '') FROM psp.online WHERE devices > 0"
            _ = try await a.connect("phone")
            let session = SessionID(raw: 7)
            let car = try await b.connect("car", as: session)
            try await eventually("both have told") { try await database.text(told) == "1 1 1" }
            try await a.port.putDevice("car", in: "police")
            try await eventually("a move is told") { try await database.text(told) == "1 1" }
            b.port.detach(car.device, session: session, settledUpTo: car.settledUpTo)
            try await eventually("its end is told") { try await database.text(told) == "1" }
            await database.close()
        }
    }

    @Test func theDatabaseReadsBitmapsAsTheyAreWritten() async throws {
        try await withNodes { a, _ in
            let database = try await a.database()
            let members: [[UInt16]] = [
                [0], [65_535], [3, 4, 5, 6, 7, 8, 9, 10], Array(stride(from: 1, to: 60_000, by: 7)),
                Array(stride(from: 0, to: 60_000, by: 300)), Array(0...65_535), Array(100...30_000) + [40_000],
            ]
            for members in members {
                let set = try #require(OrdinalSet())
                for member in members { _ = set.insert(member) }
                let bits = set.serialized
                let asked = Set(
                    members.prefix(3) + members.suffix(3) + [0, 2, 99, 101, 299, 4_095, 4_096, 39_999, 65_534, 65_535])
                for low in asked {
                    let found = try await database.hasMember(bits, low)
                    #expect(found == set.contains(low), "\(low) of \(members.count)")
                }
            }
            let empty = try #require(OrdinalSet())
            #expect(try await database.hasMember(empty.serialized, 0) == false)
            await database.close()
        }
    }
}

extension Entry {
    fileprivate func isInquiry(about device: DeviceHandle, _ session: SessionID) -> Bool {
        if case .inquiry(device, session) = self { true } else { false }
    }
}
