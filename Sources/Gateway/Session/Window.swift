internal import Push

/// The messages that a device has been sent and has not acknowledged, by packet identifier.
///
/// Two limits hold. The window counts from the oldest message that is still to be delivered: what is acknowledged behind it keeps
/// its place until that one is, so that what a store must remember beyond a device's cursor is never more than a window. The
/// client's Receive Maximum counts every PUBLISH without PUBACK, also of a message that has ended and holds the window no more
/// [MQTT-3.3.4-9].
///
/// Packet identifiers follow one another, so finding one is a subtraction.
struct Window {
    /// Empty while nothing holds the window: an idle session keeps no storage.
    private var messages: [Message] = []
    /// What few sessions have.
    private var exceptions: Exceptions?
    /// Where in ``messages`` the oldest is that is still to be delivered. It moves no further than half of them.
    private var first: UInt16 = 0
    private let most: UInt16
    private let receiveMaximum: UInt16
    /// Messages without PUBACK, wherever they are.
    private var inFlight: UInt16 = 0
    /// The identifier of the next message less 1, so that it runs from 0 to 65,534.
    private var next: UInt16

    private static let identifiers = 65_535

    /// - Parameters:
    ///   - limit: how many messages it holds, 1 to 65,535.
    ///   - receiveMaximum: the client's, 1 to 65,535.
    ///   - firstPacketID: drawn at random, so that an acknowledgement meant for an earlier connection meets no message of this
    ///     one.
    ///   - settledBeyond: what was acknowledged on an earlier connection, beyond the cursor.
    init(limit: Int, receiveMaximum: Int = identifiers, firstPacketID: UInt16, settledBeyond: [Position] = []) {
        precondition(firstPacketID != 0, "a packet identifier is not 0")
        most = UInt16(limit)
        self.receiveMaximum = UInt16(clamping: receiveMaximum)
        next = firstPacketID - 1
        if !settledBeyond.isEmpty { exceptions = Exceptions(settledBeyond: settledBeyond.sorted()) }
    }

    // MARK: Room

    /// How many messages it holds.
    var limit: Int { Int(most) }
    /// Messages from the oldest that is still to be delivered to the newest.
    var count: Int { messages.count - Int(first) }
    /// Nothing is still to be delivered.
    var isEmpty: Bool { messages.isEmpty }
    /// Every place is taken, by what is still to be delivered and what was acknowledged behind it.
    var isHeld: Bool { count >= limit || (exceptions != nil && lacksIdentifiers) }
    /// Nothing more may be sent.
    var isFull: Bool { isHeld || inFlight >= receiveMaximum }
    /// How many more may be sent.
    var room: Int { max(0, min(limit - count, Int(receiveMaximum) - Int(inFlight))) }
    /// How many rows a page may hold: what there is room for, and what will be left out.
    var pageLimit: Int { room + (exceptions?.settledBeyond.count ?? 0) }

    /// Messages without PUBACK, also those that are over.
    var unacknowledged: Int { Int(inFlight) }

    /// Everything up to here is settled or over; `nil` when nothing is still to be delivered, and only the session knows.
    var settledUpTo: Position? { messages.isEmpty ? nil : messages[Int(first)].predecessor }

    /// When the oldest message without PUBACK was sent; `nil` where there is none.
    var oldestSending: Tick? {
        if let ended = exceptions?.ended.first { return ended.sent }
        return messages.isEmpty ? nil : messages[Int(first)].time
    }

    /// What it remembers, in no order: what was sent and is not acknowledged, and what is and waits here for an older one. When
    /// it was sent, or else acknowledged.
    var remembered: [(position: Position, isAcknowledged: Bool, time: Tick)] {
        var found: [(position: Position, isAcknowledged: Bool, time: Tick)] = []
        for message in messages[min(Int(first), messages.count)...] where message.state != .leftOut {
            found.append((message.position, message.state == .acknowledged, message.time))
        }
        for message in exceptions?.ended ?? [] { found.append((message.position, false, message.sent)) }
        return found
    }

    /// Every packet identifier is in use, by a place in the window or by a message that has ended.
    private var lacksIdentifiers: Bool { count + (exceptions?.ended.count ?? 0) >= Self.identifiers }

    // MARK: Sending

    /// Takes a message in; not when it is full.
    /// - Parameter expires: Unix milliseconds.
    /// - Returns: its packet identifier.
    mutating func append(
        _ position: Position, after predecessor: Position, expires: Int64? = nil, at tick: Tick = Tick(0)
    ) -> UInt16 {
        precondition(!isFull, "the window is full")
        if exceptions != nil { skipIdentifiersInUse() }
        messages.append(Message(position, after: predecessor, .sent, expires: expires, at: tick))
        inFlight += 1
        return assignPacketID()
    }

    /// Takes the place of a message that is settled without being sent, behind one that is not; its packet identifier is never
    /// used.
    mutating func appendSettled(_ position: Position, after predecessor: Position) {
        guard !isEmpty else { return }
        messages.append(Message(position, after: predecessor, .leftOut))
        _ = assignPacketID()
    }

    private mutating func assignPacketID() -> UInt16 {
        let packetID = next + 1
        next = packetID == UInt16(Self.identifiers) ? 0 : packetID
        return packetID
    }

    /// The identifier of an ended message is in use until its PUBACK: an empty place stands for it.
    private mutating func skipIdentifiersInUse() {
        while let ended = exceptions?.ended, ended.contains(where: { $0.packetID == next + 1 }) {
            if let last = messages.last { messages.append(Message(last.position, after: last.predecessor, .leftOut)) }
            _ = assignPacketID()
        }
    }

    // MARK: The end of a message

    /// Takes the PUBACK of the message with that packet identifier.
    /// - Returns: its position; `nil` when there is no such message or it is acknowledged already.
    mutating func acknowledge(_ packetID: UInt16, at tick: Tick = Tick(0)) -> Position? {
        guard packetID != 0 else { return nil }
        let oldest = (Int(next) - count + Self.identifiers) % Self.identifiers
        let offset = (Int(packetID) - 1 - oldest + Self.identifiers) % Self.identifiers
        guard offset < count else { return acknowledgeEnded(packetID) }
        let index = Int(first) + offset
        guard messages[index].awaitsPuback else { return acknowledgeEnded(packetID) }
        messages[index].acknowledge(at: tick)
        inFlight -= 1
        let position = messages[index].position
        if offset == 0 { pass() }
        return position
    }

    /// Messages that have ended hold the window and the cursor no more. Their PUBACKs are still awaited.
    /// - Parameter hasEnded: of a message, by its position and when it expires, in Unix seconds.
    mutating func end(where hasEnded: (Position, _ expires: UInt32) -> Bool) {
        for index in Int(first)..<messages.count where messages[index].state == .sent {
            if hasEnded(messages[index].position, messages[index].expires) { messages[index].state = .ended }
        }
        if !isEmpty { pass() }
    }

    /// Goes on to the oldest message that is still to be delivered.
    private mutating func pass() {
        var index = Int(first)
        var oldest = Int(next) - count
        while index < messages.count, messages[index].state != .sent {
            if messages[index].state == .ended { keep(messages[index], oldest) }
            index += 1
            oldest += 1
        }
        if index == messages.count {
            messages = []
            first = 0
        } else if index > 32, index * 2 > messages.count {
            messages.removeFirst(index)
            first = 0
        } else {
            first = UInt16(index)
        }
    }

    /// - Parameter number: its packet identifier less 1; below 0, it was assigned before the identifiers began anew.
    private mutating func keep(_ message: Message, _ number: Int) {
        let packetID = UInt16((number + Self.identifiers) % Self.identifiers) + 1
        let ended = Ended(packetID: packetID, position: message.position, sent: message.time)
        if let exceptions { exceptions.ended.append(ended) } else { exceptions = Exceptions(ended: [ended]) }
    }

    private mutating func acknowledgeEnded(_ packetID: UInt16) -> Position? {
        guard let exceptions, let index = exceptions.ended.firstIndex(where: { $0.packetID == packetID }) else { return nil }
        inFlight -= 1
        let position = exceptions.ended.remove(at: index).position
        if exceptions.isEmpty { self.exceptions = nil }
        return position
    }

    // MARK: Earlier connections

    /// Whether the device had acknowledged that row on an earlier connection.
    func wasSettledBefore(_ position: Position) -> Bool {
        // Never more than a window, and mostly none.
        exceptions?.settledBeyond.contains(position) ?? false
    }

    /// Forgets what was acknowledged on an earlier connection, up to there.
    mutating func forgetSettled(upTo position: Position) {
        guard let exceptions, let first = exceptions.settledBeyond.first, first <= position else { return }
        exceptions.settledBeyond.removeAll { $0 <= position }
        if exceptions.isEmpty { self.exceptions = nil }
    }
}

extension Window {
    /// A place in the window.
    private struct Message {
        enum State: UInt8 {
            /// Still to be delivered.
            case sent
            /// Sent, and over before its PUBACK came.
            case ended
            case acknowledged
            /// Never sent: settled without that, or a place that only an identifier takes.
            case leftOut
        }

        let position: Position
        /// The last position before it at which everything is offered.
        let predecessor: Position
        /// Seconds of store time, rounded up.
        let expires: UInt32
        /// The time of sending, or of the acknowledgement, and in the lowest two bits the state: so a message takes 24 bytes.
        private var bits: UInt32

        init(
            _ position: Position, after predecessor: Position, _ state: State, expires: Int64? = nil, at tick: Tick = Tick(0)
        ) {
            self.position = position
            self.predecessor = predecessor
            self.expires = expires.map { UInt32(clamping: ($0 + 999) / 1_000) } ?? .max
            bits = tick.number << 2 | UInt32(state.rawValue)
        }

        var time: Tick { Tick(bits >> 2) }

        var awaitsPuback: Bool { bits & 3 < 2 }

        mutating func acknowledge(at tick: Tick) { bits = tick.number << 2 | UInt32(State.acknowledged.rawValue) }

        var state: State {
            get {
                switch bits & 3 {
                case 0: .sent
                case 1: .ended
                case 2: .acknowledged
                default: .leftOut
                }
            }
            set { bits = bits & ~3 | UInt32(newValue.rawValue) }
        }
    }

    /// A message that is over, without PUBACK.
    private struct Ended {
        let packetID: UInt16
        let position: Position
        let sent: Tick
    }

    /// A session's messages that are out of the ordinary. An object, since nearly every window has none: it costs a pointer then.
    /// Each is its session's own: of two copies of a window only one may go on.
    private final class Exceptions {
        /// Acknowledged on an earlier connection, beyond the cursor; ascending.
        var settledBeyond: [Position]
        /// Messages that are over, in the order of sending.
        var ended: [Ended]

        init(settledBeyond: [Position] = [], ended: [Ended] = []) {
            self.settledBeyond = settledBeyond
            self.ended = ended
        }

        var isEmpty: Bool { settledBeyond.isEmpty && ended.isEmpty }
    }
}

/// A moment, in tenths of a second of the loop's monotonic clock. It has 30 bits, which last for three years: two moments of one
/// connection are compared by their difference alone.
struct Tick: Hashable, Sendable {
    private static let mask: UInt32 = 1 << 30 - 1

    let number: UInt32

    init(_ number: UInt32) { self.number = number & Self.mask }

    init(nanoseconds: Int64) { self.init(UInt32(truncatingIfNeeded: nanoseconds / 100_000_000)) }

    /// How many tenths of a second have passed since that moment.
    func elapsed(since earlier: Tick) -> Int { Int((number &- earlier.number) & Self.mask) }
}
