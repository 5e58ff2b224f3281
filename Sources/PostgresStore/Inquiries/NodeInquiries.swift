internal import Push

/// Who waits to learn what connections of this node have not acknowledged: only a connection's loop knows it.
struct NodeInquiries {
    /// Somebody at this node.
    final class Waiter {
        let bell: Bell
        var told: Unacknowledged?

        init(_ bell: Bell) { self.bell = bell }
    }

    /// How many inquiries of other nodes one connection keeps: of a loop that hangs the older ones are given up.
    private static let most = 256

    private var waiters: [SessionID: [Waiter]] = [:]
    private var inquiries: [SessionID: [UInt64]] = [:]

    mutating func add(_ waiter: Waiter, about session: SessionID) { waiters[session, default: []].append(waiter) }

    /// An inquiry of another node, by its number.
    mutating func add(_ inquiry: UInt64, about session: SessionID) {
        inquiries[session, default: []].append(inquiry)
        if let count = inquiries[session]?.count, count > Self.most { inquiries[session]?.removeFirst() }
    }

    /// Who does not wait any longer.
    mutating func remove(_ waiter: Waiter, about session: SessionID) {
        waiters[session]?.removeAll { $0 === waiter }
        if waiters[session]?.isEmpty ?? false { waiters[session] = nil }
    }

    /// A loop tells of a session, or it has ended.
    /// - Returns: the inquiries of other nodes that are answered by it.
    mutating func end(of session: SessionID, _ told: Unacknowledged) -> [UInt64] {
        for waiter in waiters.removeValue(forKey: session) ?? [] {
            waiter.told = told
            waiter.bell.ring()
        }
        return inquiries.removeValue(forKey: session) ?? []
    }

    /// The store ends: nobody is answered any more.
    mutating func removeAll() {
        for waiter in waiters.values.joined() { waiter.bell.ring() }
        (waiters, inquiries) = ([:], [:])
    }
}
