/// Which session slots belong to a user, or to an organisation: lists linked through the slots' numbers, so that a member costs
/// eight bytes and leaves its list at once.
struct SessionGroups<Key: Hashable> {
    private struct Head {
        var first: Int32
        var count: Int32
    }
    private struct Link {
        var next: Int32 = Self.none
        var previous: Int32 = Self.none
        static var none: Int32 { -1 }
    }

    private var heads: [Key: Head] = [:]
    private var links: [Link] = []

    /// How many belong to `key`.
    func count(of key: Key) -> Int { heads[key].map { Int($0.count) } ?? 0 }

    /// Adds a slot that belongs to no key of this structure.
    mutating func insert(_ slot: Int, into key: Key) {
        while links.count <= slot { links.append(Link()) }
        let member = Int32(slot)
        if let head = heads[key] {
            links[slot].next = head.first
            links[Int(head.first)].previous = member
            heads[key] = Head(first: member, count: head.count + 1)
        } else {
            heads[key] = Head(first: member, count: 1)
        }
    }

    /// Removes a slot that belongs to `key`.
    mutating func remove(_ slot: Int, from key: Key) {
        guard let head = heads[key] else { return }
        let link = links[slot]
        if link.previous != Link.none { links[Int(link.previous)].next = link.next }
        if link.next != Link.none { links[Int(link.next)].previous = link.previous }
        links[slot] = Link()
        if head.count == 1 {
            heads[key] = nil
        } else {
            heads[key] = Head(first: head.first == Int32(slot) ? link.next : head.first, count: head.count - 1)
        }
    }

    /// The members of `key`, in no order. The groups must not change meanwhile.
    func members(of key: Key, _ body: (Int) -> Void) {
        guard let head = heads[key] else { return }
        var slot = head.first
        while slot != Link.none {
            body(Int(slot))
            slot = links[Int(slot)].next
        }
    }

    mutating func removeAll() {
        heads.removeAll()
        links.removeAll()
    }
}
