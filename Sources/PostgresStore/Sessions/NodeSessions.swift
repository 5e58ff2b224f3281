internal import Push
internal import StoreCore

/// Which of this node's loops has which device's connection, and who waits here to take it over.
struct NodeSessions {
    /// A connection of this node's that has a device.
    struct Session {
        let loop: Int
        let id: SessionID
        /// The connection of this node that takes over as soon as this one has settled.
        var successor: Attachment?
        /// Another node's connection waits for the device.
        var isWantedElsewhere = false
    }

    private var byOrdinal: [UInt32: Session] = [:]
    /// Connections that wait for another node to let go of their device.
    private var displacing: [UInt32: Attachment] = [:]

    var count: Int { byOrdinal.count }

    subscript(ordinal: UInt32) -> Session? { byOrdinal[ordinal] }

    /// All of them, so many at a time.
    func chunks(of size: Int) -> [[(ordinal: UInt32, session: Session)]] {
        let all = byOrdinal.map { (ordinal: $0.key, session: $0.value) }
        return stride(from: 0, to: all.count, by: size).map { Array(all[$0...].prefix(size)) }
    }

    mutating func begin(_ ordinal: UInt32, _ attachment: Attachment) {
        byOrdinal[ordinal] = Session(loop: attachment.loop, id: attachment.session)
    }

    /// - Returns: who waits for it here.
    mutating func end(_ ordinal: UInt32) -> Attachment? { byOrdinal.removeValue(forKey: ordinal)?.successor }

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
    /// A connection of this node's that takes over.
    var successor: Attachment?
}
