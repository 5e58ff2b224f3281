import Push
import Testing

/// Whom a row is for, by target, audience and membership.
@Suite("audience")
struct AudienceTests {
    /// A root with a branch and a leaf below it, and an organisation beside them.
    private static let (root, branch, leaf, beside) = (org(0), org(1), org(2), org(3))
    private static let parents = [branch: root, leaf: branch]

    private static func org(_ index: UInt32) -> OrgHandle { OrgHandle(index: index) }

    private static func isBelow(_ organisation: OrgHandle, _ ancestor: OrgHandle) -> Bool {
        organisation == ancestor || (parents[organisation].map { isBelow($0, ancestor) } ?? false)
    }

    private static func member(
        of organisation: OrgHandle = leaf, user: UInt64? = nil, _ platform: Platform = .android, test: Bool = false
    ) -> Membership {
        Membership(organisation: organisation, user: user.map { UserHandle(raw: $0) }, platform: platform, test: test)
    }

    @Test("a target holds the one device, the user's devices, or those of the organisation and below")
    func targets() {
        let (device, other) = (handle(1), handle(2))
        func isIn(_ target: RowTarget, _ membership: Membership) -> Bool {
            target.includes(device, membership, isBelow: Self.isBelow)
        }
        #expect(isIn(.device(device), Self.member()))
        #expect(!isIn(.device(other), Self.member()))
        #expect(isIn(.user(UserHandle(raw: 7)), Self.member(user: 7)))
        #expect(!isIn(.user(UserHandle(raw: 7)), Self.member(user: 8)))
        #expect(!isIn(.user(UserHandle(raw: 7)), Self.member()))
        for above in [Self.root, Self.branch, Self.leaf] { #expect(isIn(.organisation(above), Self.member())) }
        #expect(!isIn(.organisation(Self.leaf), Self.member(of: Self.branch)))
        #expect(!isIn(.organisation(Self.beside), Self.member()))
    }

    @Test(
        "an audience takes test devices only, those inside a scope only, and counts an iOS device that it leaves out",
        arguments: [
            (Audience(), member(), Standing.recipient),
            (Audience(testOnly: true), member(), .outside),
            (Audience(testOnly: true), member(test: true), .recipient),
            (Audience(withoutIOS: true), member(.ios), .leftOut),
            (Audience(withoutIOS: true), member(.android), .recipient),
            (Audience(testOnly: true, withoutIOS: true), member(.ios), .outside),
            (Audience(within: branch), member(), .recipient),
            (Audience(within: branch), member(of: root), .outside),
            (Audience(withoutIOS: true, within: branch), member(of: beside, .ios), .outside),
            (Audience(withoutIOS: true, within: leaf), member(.ios), .leftOut),
        ])
    func standing(audience: Audience, membership: Membership, expected: Standing) {
        #expect(audience.standing(of: membership, isBelow: Self.isBelow) == expected)
    }

    private func handle(_ ordinal: UInt32) -> DeviceHandle { DeviceHandle(lane: Lane(index: 0), ordinal: ordinal) }
}
