internal import Push
internal import StoreCore

/// Which of this node's loops has which device's connection, and who waits here to take it over.
struct NodeSessions {
    /// A connection of this node's that has a device.
    struct Session {
        let loop: Int
        let id: SessionID
        /// As far as that the device may have acknowledged more than its cursor tells: a connection before was not ended. Not
        /// where 0.
        let doubtfulTo: UInt64
        /// The connection of this node that takes over as soon as this one has settled.
        var successor: Attachment?
        /// Another node's connection waits for the device.
        var isWantedElsewhere = false
    }

    private var byOrdinal: [UInt32: Session] = [:]
    /// Where devices belong, as they came: until their first page, which needs it.
    private var arrivals: [UInt32: Arrival] = [:]
    /// Connections for which their devices are being claimed; and why one is to be closed as soon as it has its device, where the
    /// log says so before: one that waited may have been given its device, and the next one have asked for it, before it knows.
    private var claiming: [SessionID: DisconnectReason?] = [:]
    /// Connections that wait for another node to let go of their device.
    private var displacing: [UInt32: Attachment] = [:]

    /// Connections whose end is not written yet, and who waits for that: how far the device is must be known first.
    private var ending: [UInt32: Ending] = [:]
    private struct Ending {
        let session: SessionID
        var successor: Attachment?
    }

    var count: Int { byOrdinal.count }

    subscript(ordinal: UInt32) -> Session? { byOrdinal[ordinal] }

    /// Whether the device has a connection here, or had one whose end is not written yet.
    func has(_ ordinal: UInt32) -> Bool { byOrdinal[ordinal] != nil || isEnding(ordinal) }

    /// All of them, so many at a time.
    func chunks(of size: Int) -> [[(ordinal: UInt32, session: Session)]] {
        let all = byOrdinal.map { (ordinal: $0.key, session: $0.value) }
        return stride(from: 0, to: all.count, by: size).map { Array(all[$0...].prefix(size)) }
    }

    mutating func beginClaim(_ session: SessionID) { if !isClaiming(session) { claiming[session] = .some(nil) } }

    func isClaiming(_ session: SessionID) -> Bool { claiming[session] != nil }

    /// It has its device, or claims it no more.
    /// - Returns: why it is to be closed.
    @discardableResult
    mutating func endClaim(_ session: SessionID) -> DisconnectReason? { claiming.removeValue(forKey: session) ?? nil }

    /// - Returns: whether its claim is on its way.
    mutating func closeWhenClaimed(_ session: SessionID, _ reason: DisconnectReason) -> Bool {
        guard isClaiming(session) else { return false }
        claiming[session] = .some(reason)
        return true
    }

    mutating func begin(_ ordinal: UInt32, _ attachment: Attachment, _ arrival: Arrival, doubtfulTo: UInt64) {
        byOrdinal[ordinal] = Session(loop: attachment.loop, id: attachment.session, doubtfulTo: doubtfulTo)
        arrivals[ordinal] = arrival
    }

    /// Where the device belonged as it came; `nil` after the first time, and of a connection that is to end.
    mutating func takeArrival(_ ordinal: UInt32) -> Arrival? { arrivals.removeValue(forKey: ordinal) }

    /// The device has no connection any more. Who waits for it here waits until that is written.
    mutating func end(_ ordinal: UInt32) {
        guard let session = byOrdinal.removeValue(forKey: ordinal) else { return }
        arrivals[ordinal] = nil
        ending[ordinal] = Ending(session: session.id, successor: session.successor)
    }

    func isEnding(_ ordinal: UInt32) -> Bool { ending[ordinal] != nil }

    /// Whether that connection is this node's, or was and its end is not written yet.
    func has(_ ordinal: UInt32, _ session: SessionID) -> Bool {
        byOrdinal[ordinal]?.id == session || ending[ordinal]?.session == session
    }

    /// - Returns: who waited before, and waits no more.
    mutating func waitForEnd(of ordinal: UInt32, _ attachment: Attachment) -> Attachment? {
        defer { ending[ordinal]?.successor = attachment }
        return ending[ordinal]?.successor
    }

    /// It is written.
    /// - Returns: who waits for it here.
    mutating func hasEnded(_ ordinal: UInt32, _ session: SessionID) -> Attachment? {
        ending[ordinal]?.session == session ? ending.removeValue(forKey: ordinal)?.successor : nil
    }

    /// It could not be written.
    /// - Returns: who waits no more.
    mutating func stopWaiting(for ordinal: UInt32) -> Attachment? {
        defer { ending[ordinal]?.successor = nil }
        return ending[ordinal]?.successor
    }

    /// - Returns: who waited before, and waits no more.
    mutating func setSuccessor(_ attachment: Attachment, of ordinal: UInt32) -> Attachment? {
        defer { byOrdinal[ordinal]?.successor = attachment }
        return byOrdinal[ordinal]?.successor
    }

    /// Another node's connection takes over as soon as this one has settled.
    /// - Returns: who waited for it here, and waits no more.
    mutating func giveAway(_ ordinal: UInt32) -> Attachment? {
        byOrdinal[ordinal]?.isWantedElsewhere = true
        defer { byOrdinal[ordinal]?.successor = nil }
        return byOrdinal[ordinal]?.successor
    }

    /// One of this node's takes over, and no other node's.
    mutating func takeBack(_ ordinal: UInt32) { byOrdinal[ordinal]?.isWantedElsewhere = false }

    /// Everybody who waits, and waits no more.
    mutating func removeAllWaiting() -> [Attachment] {
        let waiting = byOrdinal.values.compactMap(\.successor) + ending.values.compactMap(\.successor) + displacing.values
        for ordinal in byOrdinal.keys { byOrdinal[ordinal]?.successor = nil }
        for ordinal in ending.keys { ending[ordinal]?.successor = nil }
        displacing = [:]
        return waiting
    }

    mutating func wait(_ attachment: Attachment, for ordinal: UInt32) -> Attachment? {
        displacing.updateValue(attachment, forKey: ordinal)
    }

    /// Who waits for another node, if it is that session.
    mutating func takeWaiting(for ordinal: UInt32, _ session: SessionID) -> Attachment? {
        guard let waiting = displacing[ordinal], waiting.session == session else { return nil }
        displacing[ordinal] = nil
        return waiting
    }
}

/// A CONNECT that the store decides.
struct Attachment: Sendable {
    let loop: Int
    let token: DeviceToken
    let secret: [UInt8]
    let certificate: CertificateFingerprint?
    let session: SessionID
    let answer: @Sendable (Result<Attached, AttachError>) -> Void
}

/// The end of a connection that had a device.
struct Detachment: Sendable {
    let ordinal: UInt32
    let session: SessionID
    let settledUpTo: UInt64
    /// What the device has acknowledged beyond that.
    var beyond: [UInt64] = []
}
