internal import Push
internal import StoreCore

/// Which loop has which device's connection, and who waits to take it over; organisations count theirs by it. Writer only;
/// nothing of it outlives the process.
final class SessionRegistry {
    /// A device's connection.
    struct Session {
        let loop: Int
        let id: SessionID
        /// The organisation that counts it; `nil` when the holder is gone.
        fileprivate(set) var organisation: UInt32?
        /// The connection that takes over as soon as this one has settled.
        fileprivate(set) var successor: Attachment?
    }

    /// A CONNECT that the store decides.
    struct Attachment {
        let loop: Int
        let token: DeviceToken
        let secret: [UInt8]
        let certificate: CertificateFingerprint?
        let session: SessionID
        let answer: @Sendable (Result<Attached, AttachError>) -> Void
    }

    private let directory: DirectoryMemory
    private var byOrdinal: [UInt32: Session] = [:]
    /// The ordinals, by their higher halves: lists go through them in order.
    private var ordinals: [UInt32: OrdinalSet] = [:]
    /// Where sessions were before the transaction moved them.
    private var moved: [(ordinal: UInt32, session: SessionID, from: UInt32?)] = []

    init(_ directory: DirectoryMemory) { self.directory = directory }

    subscript(ordinal: UInt32) -> Session? { byOrdinal[ordinal] }

    /// The loop that has a device's connection.
    func loop(of ordinal: UInt32) -> Int? { byOrdinal[ordinal]?.loop }

    /// Ordinals greater than `after`, ascending.
    func ordinals(after: Int64, limit: Int) -> [UInt32] {
        let first = UInt64(max(0, after + 1))
        var found: [UInt32] = []
        for chunk in ordinals.keys.sorted() where UInt64(chunk) >= first >> 16 && found.count < limit {
            let low = UInt64(chunk) == first >> 16 ? UInt32(truncatingIfNeeded: first & 0xFFFF) : 0
            found += ordinals[chunk]?.members(from: low, limit: limit - found.count).map { chunk << 16 | UInt32($0) } ?? []
        }
        return found
    }

    // MARK: Connections: beside the transaction

    func begin(_ ordinal: UInt32, _ attachment: Attachment, in organisation: UInt32) {
        byOrdinal[ordinal] = Session(loop: attachment.loop, id: attachment.session, organisation: organisation)
        directory.tree.countOnline(1, in: organisation)
        if ordinals[ordinal >> 16] == nil { ordinals[ordinal >> 16] = OrdinalSet() }
        _ = ordinals[ordinal >> 16]?.insert(UInt16(truncatingIfNeeded: ordinal))
    }

    func end(_ ordinal: UInt32) {
        guard let ended = byOrdinal.removeValue(forKey: ordinal) else { return }
        if let organisation = ended.organisation { directory.tree.countOnline(-1, in: organisation) }
        _ = ordinals[ordinal >> 16]?.remove(UInt16(truncatingIfNeeded: ordinal))
    }

    func setSuccessor(_ attachment: Attachment, of ordinal: UInt32) { byOrdinal[ordinal]?.successor = attachment }

    /// Connections that waited for another one to settle; they wait no more.
    func removeWaiting() -> [Attachment] {
        let waiting = byOrdinal.values.compactMap(\.successor)
        for ordinal in byOrdinal.keys { byOrdinal[ordinal]?.successor = nil }
        return waiting
    }

    // MARK: Where their devices are: in the transaction

    /// The device is in another organisation; `nil`: its holder is gone.
    func move(_ ordinal: UInt32, to organisation: UInt32?) {
        guard let session = byOrdinal[ordinal], session.organisation != organisation else { return }
        moved.append((ordinal, session.id, session.organisation))
        if let former = session.organisation { directory.tree.countOnline(-1, in: former) }
        if let organisation { directory.tree.countOnline(1, in: organisation) }
        byOrdinal[ordinal]?.organisation = organisation
    }

    func committed() { moved.removeAll(keepingCapacity: true) }

    /// The transaction failed, and the tree was read again from the file.
    func undone() {
        for (ordinal, id, former) in moved.reversed() where byOrdinal[ordinal]?.id == id {
            byOrdinal[ordinal]?.organisation = former
        }
        moved.removeAll()
        for session in byOrdinal.values {
            if let organisation = session.organisation { directory.tree.countOnline(1, in: organisation) }
        }
    }
}
