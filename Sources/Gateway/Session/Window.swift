internal import Push

/// The messages that a device has been sent and has not acknowledged, by packet identifier.
///
/// It counts from the oldest unacknowledged message: what is acknowledged behind it keeps its place until that one is, so that
/// what a store must remember beyond a device's cursor is never more than a window. Packet identifiers follow one another, so
/// finding one is a subtraction.
struct Window {
    private struct Message {
        let position: Position
        /// The last position before it at which everything is offered.
        let predecessor: Position
        var isSettled: Bool
    }

    /// Empty while nothing is in flight: an idle session keeps no storage.
    private var messages: [Message] = []
    /// Where in ``messages`` the oldest unacknowledged one is.
    private var first: Int32 = 0
    private let most: UInt16
    /// The identifier of the next message less 1, so that it runs from 0 to 65,534.
    private var next: UInt16

    private static let identifiers = 65_535

    /// - Parameters:
    ///   - limit: how many messages it holds, 1 to 65,535.
    ///   - firstPacketID: drawn at random, so that an acknowledgement meant for an earlier connection meets no message of this
    ///     one.
    init(limit: Int, firstPacketID: UInt16) {
        precondition(firstPacketID != 0, "a packet identifier is not 0")
        most = UInt16(limit)
        next = firstPacketID - 1
    }

    /// How many messages it holds.
    var limit: Int { Int(most) }
    /// Messages from the oldest unacknowledged one to the newest.
    var count: Int { messages.count - Int(first) }
    /// Nothing is unacknowledged.
    var isEmpty: Bool { messages.isEmpty }
    /// Nothing more may be sent.
    var isFull: Bool { count >= limit }
    /// How many more may be sent.
    var room: Int { max(0, limit - count) }

    /// Everything up to here is settled; `nil` when nothing is unacknowledged, and only the session knows.
    var settledUpTo: Position? { messages.isEmpty ? nil : messages[Int(first)].predecessor }

    /// Takes a message in; not when it is full.
    /// - Returns: its packet identifier.
    mutating func append(_ position: Position, after predecessor: Position) -> UInt16 {
        precondition(!isFull, "the window is full")
        messages.append(Message(position: position, predecessor: predecessor, isSettled: false))
        return assignPacketID()
    }

    /// Takes the place of a message that is settled without being sent, behind one that is not; its packet identifier is never
    /// used.
    mutating func appendSettled(_ position: Position, after predecessor: Position) {
        guard !isEmpty else { return }
        messages.append(Message(position: position, predecessor: predecessor, isSettled: true))
        _ = assignPacketID()
    }

    /// Settles the message with that packet identifier.
    /// - Returns: its position; `nil` when there is no such message or it is settled already.
    mutating func acknowledge(_ packetID: UInt16) -> Position? {
        guard packetID != 0 else { return nil }
        let oldest = (Int(next) - count + Self.identifiers) % Self.identifiers
        let offset = (Int(packetID) - 1 - oldest + Self.identifiers) % Self.identifiers
        guard offset < count else { return nil }
        let index = Int(first) + offset
        guard !messages[index].isSettled else { return nil }
        messages[index].isSettled = true
        let position = messages[index].position
        if offset == 0 { dropSettled() }
        return position
    }

    private mutating func assignPacketID() -> UInt16 {
        let packetID = next + 1
        next = packetID == UInt16(Self.identifiers) ? 0 : packetID
        return packetID
    }

    private mutating func dropSettled() {
        var index = Int(first)
        while index < messages.count, messages[index].isSettled { index += 1 }
        if index == messages.count {
            messages = []
            first = 0
        } else if index > 32, index * 2 > messages.count {
            messages.removeFirst(index)
            first = 0
        } else {
            first = Int32(index)
        }
    }
}
