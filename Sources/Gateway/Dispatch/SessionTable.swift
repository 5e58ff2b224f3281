internal import Push

/// The sessions of one lane on one loop. A session keeps its slot as long as it lives, so that a walk in slices misses nobody.
struct SessionTable {
    private var slots: [Session?] = []
    private var free: [Int32] = []
    private var byDevice: [UInt32: Int32] = [:]
    private var byUser = SessionGroups<UserHandle>()
    private var byOrganisation = SessionGroups<OrgHandle>()

    /// Slots, used or not.
    var slotCount: Int { slots.count }
    /// Sessions.
    var count: Int { byDevice.count }

    subscript(slot: Int) -> Session? { slots[slot] }

    /// The device's session; there is one at most.
    subscript(device: DeviceHandle) -> Session? {
        guard let slot = byDevice[device.ordinal] else { return nil }
        return slots[Int(slot)]
    }

    /// Adds a session whose device has none here, and whose membership is not known.
    mutating func insert(_ session: Session) {
        let slot = free.popLast().map(Int.init) ?? slots.count
        if slot == slots.count { slots.append(session) } else { slots[slot] = session }
        session.slot = Int32(slot)
        byDevice[session.device.ordinal] = Int32(slot)
    }

    mutating func remove(_ session: Session) {
        setMembership(nil, of: session)
        slots[Int(session.slot)] = nil
        free.append(session.slot)
        byDevice[session.device.ordinal] = nil
    }

    /// Records where a session belongs.
    mutating func setMembership(_ membership: Membership?, of session: Session) {
        let old = session.membership
        let slot = Int(session.slot)
        session.membership = membership
        if old?.user != membership?.user {
            if let user = old?.user { byUser.remove(slot, from: user) }
            if let user = membership?.user { byUser.insert(slot, into: user) }
        }
        if old?.organisation != membership?.organisation {
            if let organisation = old?.organisation { byOrganisation.remove(slot, from: organisation) }
            if let organisation = membership?.organisation { byOrganisation.insert(slot, into: organisation) }
        }
    }

    /// The user's sessions. They may change, the table's membership may not.
    func forEach(of user: UserHandle, _ body: (Session) -> Void) {
        byUser.members(of: user) { slot in if let session = slots[slot] { body(session) } }
    }

    /// The sessions of that organisation itself.
    func forEach(of organisation: OrgHandle, _ body: (Session) -> Void) {
        byOrganisation.members(of: organisation) { slot in if let session = slots[slot] { body(session) } }
    }

    /// Every session, in slot order.
    func forEach(_ body: (Session) -> Void) {
        for case let session? in slots { body(session) }
    }

    /// Whether a subtree has at most `limit` sessions; false as well where counting would take long.
    func isSmall(_ subtree: Subtree, limit: Int) -> Bool {
        guard subtree.organisations.count <= limit else { return false }
        if count <= limit { return true }
        var sum = 0
        for organisation in subtree.organisations {
            sum += byOrganisation.count(of: organisation)
            if sum > limit { return false }
        }
        return true
    }
}
