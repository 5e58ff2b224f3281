internal import Libevent
internal import MQTT
internal import Push

/// A device's connection, from the first byte to the last.
final class DeviceConnection {
    /// How far it has come, with what belongs to it there. It goes from the first to the last and may leave some out, never back.
    enum State {
        /// Nothing but a CONNECT may come, and within the connect timeout.
        case awaitingConnect
        /// The store decides about the CONNECT; nothing is read meanwhile. The store may want the session closed before its
        /// answer has come.
        case attaching(closed: DisconnectReason?)
        /// The device is attached: its packets are carried out, and messages are sent to it.
        case open(Session, Dispatcher)
        /// Its session has been detached, if it had one. The socket closes, when the last packet has gone.
        case closing
    }

    var state = State.awaitingConnect
    // Small values stand together, the smallest first, so that they take no room of their own.
    private var flags = Flags()
    /// Seconds; 0 is none.
    var keepAlive: UInt16 = 0
    /// While its output is so long that nothing is read until it has been written: how long it would be if the peer had taken
    /// nothing since somebody last looked. Else 0.
    var undrained: Int32 = 0
    /// Receipts that its device has sent in the minute of this number; see ``ReceiptAllowance``.
    var receiptMinute: UInt16 = 0
    var receiptCount: UInt16 = 0
    private let place: Int32
    let socket: Connection
    var decoder: PacketDecoder
    /// The device's name, once it has given one: for the log.
    var token: DeviceToken?

    init(_ socket: Connection, slot: Int, configuration: GatewayConfiguration) {
        self.socket = socket
        place = Int32(slot)
        decoder = PacketDecoder(role: .server, maximumPacketSize: configuration.maximumPacketSize)
    }

    private struct Flags: OptionSet {
        let rawValue: UInt8

        static let surplus = Flags(rawValue: 1)
        static let admitted = Flags(rawValue: 2)
        static let postponed = Flags(rawValue: 4)

        subscript(flag: Flags) -> Bool {
            get { contains(flag) }
            set { if newValue { insert(flag) } else { remove(flag) } }
        }
    }

    /// It came when there was no room for it.
    var isSurplus: Bool {
        get { flags[.surplus] }
        set { flags[.surplus] = newValue }
    }

    /// It counts among its address' connections.
    var isAdmitted: Bool {
        get { flags[.admitted] }
        set { flags[.admitted] = newValue }
    }

    /// It has sent more receipts than it may in this minute: some wait for the next.
    var hasPostponed: Bool {
        get { flags[.postponed] }
        set { flags[.postponed] = newValue }
    }

    /// Its number in the shard's table and in the wheel of deadlines.
    var slot: Int { Int(place) }

    /// Nothing is read until its output has been written.
    var awaitsDrain: Bool { undrained > 0 }

    /// Whether its device is attached.
    var isOpen: Bool {
        if case .open = state { true } else { false }
    }

    /// Whether its silence proves nothing: the peer may well have sent what is not read now. Then it lives as long as it takes
    /// some of its output from time to time.
    func showsLife() -> Bool {
        guard case .open(let session, _) = state else { return false }
        guard awaitsDrain else { return session.conversation.isCongested }
        let before = undrained
        undrained = Int32(clamping: max(1, socket.outputCount))
        return socket.outputCount < before
    }

    /// Whether the next packet may be taken.
    var takesPackets: Bool {
        switch state {
        case .awaitingConnect: true
        case .open(let session, _): !awaitsDrain && !session.conversation.isCongested
        case .attaching, .closing: false
        }
    }

    /// After so long a silence it ends, in nanoseconds: one and a half times the keep-alive (MQTT 5.0 §3.1.2.10). `nil` for none.
    var longestSilence: Int64? { keepAlive == 0 ? nil : Int64(keepAlive) * 1_500_000_000 }
}

/// Connections by number.
struct ConnectionTable {
    private var slots: [DeviceConnection?] = []
    private var free: [Int] = []

    subscript(slot: Int) -> DeviceConnection? { slots.indices.contains(slot) ? slots[slot] : nil }

    var count: Int { slots.count - free.count }

    /// The number that the next connection gets.
    var nextSlot: Int { free.last ?? slots.count }

    /// Every connection, as the table is now.
    var all: [DeviceConnection] { slots.compactMap(\.self) }

    mutating func insert(_ connection: DeviceConnection) {
        if let slot = free.popLast() {
            precondition(slot == connection.slot)
            slots[slot] = connection
        } else {
            precondition(slots.count == connection.slot)
            slots.append(connection)
        }
    }

    mutating func remove(_ connection: DeviceConnection) {
        slots[connection.slot] = nil
        free.append(connection.slot)
    }
}
