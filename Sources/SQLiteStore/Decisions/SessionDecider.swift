internal import Push
internal import StoreCore

/// Attach, detach, takeover: decided in the one queue, so that "who has the device" has one order. Nothing here is written, so it
/// is decided beside the transaction and holds whatever becomes of that.
final class SessionDecider {
    private let devices: DeviceTable
    private let time: Timekeeper
    private let log: MessageLog
    private let cursors: CursorBook
    private let sessions: SessionRegistry
    private let outbox: Outbox
    private let feed: Feed
    private let inquiries: Inquiries

    init(
        _ devices: DeviceTable, _ time: Timekeeper, _ log: MessageLog, _ cursors: CursorBook, _ sessions: SessionRegistry,
        _ outbox: Outbox, _ feed: Feed, _ inquiries: Inquiries
    ) {
        self.devices = devices
        self.time = time
        self.log = log
        self.cursors = cursors
        self.sessions = sessions
        self.outbox = outbox
        self.feed = feed
        self.inquiries = inquiries
    }

    /// Decides a CONNECT. The answer comes later where another session has to settle first.
    func attach(_ attachment: SessionRegistry.Attachment) throws(SQLiteError) -> Answer? {
        guard let device = try devices.find(attachment.token) else { return refuse(attachment, .unknownDevice) }
        let isNamed = device.certificate != nil && device.certificate == attachment.certificate
        guard isNamed || device.verifier.accepts(attachment.secret) else { return refuse(attachment, .wrongSecret) }
        guard let current = sessions[device.ordinal] else { return try begin(attachment, device) }

        if let earlier = current.successor {
            outbox.answer(earlier.loop, { earlier.answer(.failure(.takenOver)) })
        } else {
            feed.close(device.ordinal, .takenOver)
        }
        sessions.setSuccessor(attachment, of: device.ordinal)
        return nil
    }

    /// A session ended; who waits for the device gets it.
    func detach(_ ordinal: UInt32, session: SessionID) throws(SQLiteError) {
        guard let current = sessions[ordinal], current.id == session else { return }
        sessions.end(ordinal)
        inquiries.end(of: session, .none)
        guard let successor = current.successor else { return try cursors.seen(ordinal, at: time.timeOfDay) }
        do throws(SQLiteError) {
            try cursors.seen(ordinal, at: time.timeOfDay)
            // Decided anew: the device may have been deleted, or its secret changed, while it waited.
            if let answer = try attach(successor) { outbox.answer(successor.loop, answer) }
        } catch {
            // Nobody else would answer it.
            outbox.answer(successor.loop, refuse(successor, .unavailable))
            throw error
        }
    }

    /// An operator wants the device's connection closed.
    /// - Returns: whether there is such a device.
    func disconnect(_ token: DeviceToken) throws(SQLiteError) -> Bool {
        guard let device = try devices.find(token) else { return false }
        feed.close(device.ordinal, .requested)
        return true
    }

    /// Somebody asks how far a device is. Of one that is connected its loop tells the rest.
    func inquire(_ inquiry: Inquiries.Inquiry) throws(SQLiteError) -> Answer? {
        guard let device = try devices.find(inquiry.token) else { return { inquiry.answer(nil, nil) } }
        let progress = Inquiries.Progress(
            device: device.ordinal, cursor: try cursors.cursor(of: device.ordinal),
            beyond: try cursors.positionsBeyond(device.ordinal))
        guard let session = sessions[device.ordinal] else { return { inquiry.answer(progress, Unacknowledged.none) } }
        inquiries.begin(inquiry, progress, of: session.id)
        feed.inquire(device.ordinal)
        return nil
    }

    private func begin(
        _ attachment: SessionRegistry.Attachment, _ device: DeviceTable.Registered
    ) throws(SQLiteError) -> Answer {
        let attached = Attached(
            device: DeviceHandle(ordinal: device.ordinal),
            settledUpTo: Position(raw: try cursors.cursor(of: device.ordinal)),
            settledBeyond: try cursors.positionsBeyond(device.ordinal).map { Position(raw: $0) },
            feedFrom: Position(raw: log.head))
        try cursors.seen(device.ordinal, at: time.timeOfDay)
        sessions.begin(device.ordinal, attachment, in: device.membership.organisation.index)
        return { attachment.answer(.success(attached)) }
    }

    private func refuse(_ attachment: SessionRegistry.Attachment, _ error: AttachError) -> Answer {
        { attachment.answer(.failure(error)) }
    }
}
