internal import Crypto
internal import Push

/// Attach, detach, takeover: decided in the one queue, so that "who has the device" has one order. Nothing here is written, so it
/// is decided beside the transaction and holds whatever becomes of that.
extension Ledger {
    /// A live device by its token.
    struct FoundDevice {
        let ordinal: UInt32
        let platform: Platform
        let org: UInt32
        let user: Int64?
        let test: Bool
        let verifier: SecretVerifier

        var member: Member {
            Member(
                ordinal: ordinal,
                membership: Membership(
                    organisation: OrgHandle(index: org), user: user.map { UserHandle(raw: UInt64($0)) }, platform: platform,
                    test: test))
        }
    }

    /// Decides a CONNECT. The answer comes later where another session has to settle first.
    func attach(_ attachment: SessionRegistry.Attachment) throws(SQLiteError) -> Answer? {
        guard let device = try device(attachment.token) else { return refuse(attachment, .unknownDevice) }
        guard device.verifier.accepts(attachment.secret) else { return refuse(attachment, .wrongSecret) }
        guard let current = sessions[device.ordinal] else { return try begin(attachment, device) }

        if let earlier = current.successor {
            outbox.answer(earlier.loop, { earlier.answer(.failure(.takenOver)) })
        } else {
            let handle = DeviceHandle(ordinal: device.ordinal)
            outbox.post(.close(handle, session: current.id, .takenOver), to: current.loop)
        }
        sessions[device.ordinal]?.successor = attachment
        return nil
    }

    /// A session ended; who waits for the device gets it.
    func detach(_ ordinal: UInt32, session: SessionID) throws(SQLiteError) {
        guard let current = sessions[ordinal], current.id == session else { return }
        sessions[ordinal] = nil
        try cursors.seen(ordinal, at: now)
        guard let successor = current.successor else { return }
        // Decided anew: the device may have been deleted, or its secret changed, while it waited.
        if let answer = try attach(successor) { outbox.answer(successor.loop, answer) }
    }

    /// Closes a device's connection, if it has one, and refuses who waits for it unless the same device may still be attached.
    func close(_ ordinal: UInt32, _ reason: DisconnectReason) {
        guard let current = sessions[ordinal] else { return }
        outbox.post(.close(DeviceHandle(ordinal: ordinal), session: current.id, reason), to: current.loop)
    }

    func device(_ token: DeviceToken) throws(SQLiteError) -> FoundDevice? {
        let query = try database.statement(
            """
            SELECT ordinal, platform, org, user, test, salt, hash, token FROM device
            WHERE key = ? AND retired_seq = 9223372036854775807
            """)
        query.bind(1, StableHash.of(token.text))
        while try query.step() {
            guard query.isText(7, token.text) else { continue }
            defer { query.reset() }
            return FoundDevice(
                ordinal: UInt32(truncatingIfNeeded: query.int(0)), platform: query.int(1) == 0 ? .android : .ios,
                org: UInt32(truncatingIfNeeded: query.int(2)), user: query.optionalInt(3), test: query.int(4) != 0,
                verifier: SecretVerifier(salt: query.blob(5), digest: query.blob(6)))
        }
        return nil
    }

    /// What a push has to know of a live device.
    func addressee(_ token: DeviceToken) throws(SQLiteError) -> DeviceCache.Addressee? {
        let key = StableHash.of(token.text)
        if let known = deviceCache.device(token, key: key) { return known }
        let query = try database.statement(
            "SELECT ordinal, platform, org, test, token FROM device WHERE key = ? AND retired_seq = 9223372036854775807")
        query.bind(1, key)
        while try query.step() {
            guard query.isText(4, token.text) else { continue }
            defer { query.reset() }
            let device = DeviceCache.Addressee(
                ordinal: UInt32(truncatingIfNeeded: query.int(0)), platform: query.int(1) == 0 ? .android : .ios,
                test: query.int(3) != 0, org: UInt32(truncatingIfNeeded: query.int(2)))
            deviceCache.insert(device, token, key: key)
            return device
        }
        return nil
    }

    /// The token under which a holder's device was registered.
    func token(of ordinal: UInt32) throws(SQLiteError) -> DeviceToken? {
        let query = try database.statement("SELECT token FROM device WHERE ordinal = ?")
        query.bind(1, ordinal)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return DeviceToken(unchecked: query.text(0))
    }

    private func begin(_ attachment: SessionRegistry.Attachment, _ device: FoundDevice) throws(SQLiteError) -> Answer {
        let attached = Attached(
            device: DeviceHandle(ordinal: device.ordinal),
            settledUpTo: Position(raw: try cursors.cursor(of: device.ordinal)),
            settledBeyond: try cursors.positionsBeyond(device.ordinal).map { Position(raw: $0) },
            feedFrom: Position(raw: head))
        try cursors.seen(device.ordinal, at: now)
        sessions[device.ordinal] = SessionRegistry.Session(
            loop: attachment.loop, id: attachment.session, organisation: device.org)
        return { attachment.answer(.success(attached)) }
    }

    private func refuse(_ attachment: SessionRegistry.Attachment, _ error: AttachError) -> Answer {
        { attachment.answer(.failure(error)) }
    }
}
