/// One entry of the feed.
public enum Entry: Sendable {
    case row(Row)
    /// A device's membership changed at that position.
    case membership(DeviceHandle, Membership, at: Position)
    /// An organisation is new or has another parent (`nil`: it is a root).
    case organisation(OrgHandle, parent: OrgHandle?, at: Position)
    /// Cancelled or superseded: nothing more of it is handed to a connection.
    case ended(TaskID, at: Position)
    /// That session's connection is to be closed; the loop answers with ``DeliveryStore/detach(_:session:settledUpTo:)``.
    case close(DeviceHandle, session: SessionID, DisconnectReason)
    /// Somebody asks what that session's device has not acknowledged; the loop that has it answers with
    /// ``DeliveryStore/tell(_:of:)``.
    case inquiry(DeviceHandle, session: SessionID)
    /// An app was changed or removed; `nil` means removed.
    case app(AppKey, App?)
    /// An operator was changed or removed, likewise.
    case operatorChanged(OperatorNumber, Operator?)
    /// An operator's session began or ended; `nil` means ended.
    case operatorSession(OperatorSessionKey, OperatorSession?)
}

extension Entry {
    /// Where it stands in the lane's order; `nil` for what has no place in it and may be told at any time.
    public var position: Position? {
        switch self {
        case .row(let row): row.position
        case .membership(_, _, let position), .organisation(_, _, let position), .ended(_, let position): position
        case .close, .inquiry, .app, .operatorChanged, .operatorSession: nil
        }
    }
}

/// Why the store has a device disconnected.
public enum DisconnectReason: Sendable {
    /// Another connection of the same device took over.
    case takenOver
    /// The device was deleted, has a new holder, or its secret changed.
    case withdrawn
    /// An operator wants it; the device may come back.
    case requested
}
