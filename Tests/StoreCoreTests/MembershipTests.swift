import Push
import StoreCore
import Testing

/// Where a device belonged, by intervals of the log, and what addressed it there.
@Suite("membership by intervals")
struct MembershipTests {
    private typealias Interval<Value> = MembershipHistory.Interval<Value>

    /// Registered at 10 in organisation 1, a test device from 20 to 30, given user 5 at 40, moved to organisation 2 at 50.
    private let history = MembershipHistory(
        ordinal: 7, token: "phone", platform: .android, created: 10, retired: MembershipHistory.forever,
        organisations: [Interval(1, from: 10, to: 50), Interval(2, from: 50, to: MembershipHistory.forever)],
        users: [Interval(5, from: 40, to: MembershipHistory.forever)], tests: [Interval((), from: 20, to: 30)])

    private func membership(_ organisation: UInt32, user: UInt64? = nil, test: Bool = false) -> Membership {
        Membership(
            organisation: OrgHandle(index: organisation), user: user.map { UserHandle(raw: $0) }, platform: .android, test: test)
    }

    @Test("an interval holds strictly between its ends")
    func ends() {
        #expect(history.membership(at: 10) == nil)
        #expect(history.membership(at: 11) == membership(1))
        #expect(history.membership(at: 20) == membership(1))
        #expect(history.membership(at: 21) == membership(1, test: true))
        #expect(history.membership(at: 49) == membership(1, user: 5))
        #expect(history.membership(at: 50) == nil)
        #expect(history.membership(at: 51) == membership(2, user: 5))
    }

    @Test("what is pushed for test devices lasts only for one that stays one")
    func testMode() {
        #expect(history.lastingMembership(since: 25) == membership(1))
    }

    @Test("a loop is told what holds after a position")
    func after() {
        #expect(history.membership(after: 49) == membership(1, user: 5))
        #expect(history.membership(after: 50) == membership(2, user: 5))
        #expect(history.membership(after: 29) == membership(1, test: true))
    }

    @Test("the targets after a position are the device, its user, and what was above its organisations while both held")
    func targets() throws {
        // 1 was below 3 up to 30 and below 4 from then on; 2 is below 4; 4 is below 9 from 60 on.
        let parents: [UInt32: [Interval<UInt32>]] = [
            1: [Interval(3, from: 1, to: 30), Interval(4, from: 30, to: MembershipHistory.forever)],
            2: [Interval(4, from: 1, to: MembershipHistory.forever)],
            4: [Interval(9, from: 60, to: MembershipHistory.forever)],
        ]
        func targets(after: UInt64) -> [String] {
            history.targets(after: after) { parents[$0] ?? [] }.map { interval in
                let end = interval.to == MembershipHistory.forever ? "" : "\(interval.to)"
                return "\(interval.value.kind.map { "\($0)" } ?? "?") \(interval.value.id): \(interval.from)..\(end)"
            }
        }
        #expect(
            targets(after: 20) == [
                "device 7: 10..", "user 5: 40..", "organisation 1: 20..50", "organisation 3: 20..30", "organisation 4: 30..50",
                "organisation 2: 50..", "organisation 4: 50..", "organisation 9: 60..",
            ])
        #expect(
            targets(after: 70) == [
                "device 7: 10..", "user 5: 40..", "organisation 2: 70..", "organisation 4: 70..", "organisation 9: 70..",
            ])
    }

    @Test("a tree's counters follow its devices and its moves")
    func tree() throws {
        let tree = OrgTree(
            (1...3).map { (OrgTree.Node(org: $0, id: OrgID(unchecked: "o\($0)"), name: ""), OrgTree.Tally(.ios, test: $0 == 3)) },
            parents: [(child: 2, parent: 1), (child: 3, parent: 2)], nextOrg: 9)
        let (top, middle, leaf) = (try #require(tree[1]), try #require(tree[2]), try #require(tree[OrgID(unchecked: "o3")]))
        #expect([top, middle, leaf].map(\.subtree.devices) == [3, 2, 1])
        #expect(tree.isBelow(3, 1) && !tree.isBelow(1, 3) && tree.path(of: 3) == [3, 2, 1])
        tree.add(OrgTree.Tally(.android, test: false), to: 3)
        tree.move(middle, under: nil)
        #expect([top, middle, leaf].map(\.subtree.devices) == [1, 3, 2])
        #expect(middle.subtree.count(.ios, testOnly: true) == 1 && middle.subtree.count(.android, testOnly: false) == 1)
        #expect(tree.removeChanged().map(\.org) == [3] && tree.removeChanged().isEmpty)
        #expect(Set(tree.descendants(of: 2)) == [2, 3] && tree.nextOrg == 9)
    }
}
