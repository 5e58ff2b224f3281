internal import Push

/// Which loop has which device's connection, and who waits to take it over. Writer only; nothing of it outlives the process.
final class SessionRegistry {
    /// A device's connection.
    struct Session {
        let loop: Int
        let id: SessionID
        var organisation: UInt32
        /// The connection that takes over as soon as this one has settled.
        var successor: Attachment?
    }

    /// A CONNECT that the store decides.
    struct Attachment {
        let loop: Int
        let token: DeviceToken
        let secret: [UInt8]
        let session: SessionID
        let answer: @Sendable (Result<Attached, AttachError>) -> Void
    }

    private(set) var byOrdinal: [UInt32: Session] = [:]

    /// Connections that waited for another one to settle; they wait no more.
    func removeWaiting() -> [Attachment] {
        let waiting = byOrdinal.values.compactMap(\.successor)
        for ordinal in byOrdinal.keys { byOrdinal[ordinal]?.successor = nil }
        return waiting
    }

    subscript(ordinal: UInt32) -> Session? {
        get { byOrdinal[ordinal] }
        set { byOrdinal[ordinal] = newValue }
    }
}
