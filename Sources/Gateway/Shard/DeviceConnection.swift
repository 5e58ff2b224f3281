internal import Libevent
internal import MQTT
internal import Push

/// A device's connection, from the first byte on; with a session once the device has been attached.
final class DeviceConnection {
    let connection: Connection
    /// Its number in the shard's table and in the wheel of deadlines.
    let slot: Int
    var decoder: PacketDecoder
    var conversation: Conversation
    /// The device's name, once it has given one: for the log.
    var token: DeviceToken?
    var session: Session?
    /// The one that has the session; with it.
    var dispatcher: Dispatcher?
    /// The CONNACK, until it goes out, first of all.
    var prologue: [UInt8] = []
    /// Silence after which the connection ends; `nil` for none.
    var patience: Duration?
    /// The store wants it closed before it was attached.
    var closeRequest: DisconnectReason?
    /// Its output is too long: nothing is read until it has been written.
    var awaitsDrain = false

    init(_ connection: Connection, slot: Int, configuration: GatewayConfiguration) {
        self.connection = connection
        self.slot = slot
        decoder = PacketDecoder(role: .server, maximumPacketSize: configuration.maximumPacketSize)
        conversation = Conversation(receiveMaximum: configuration.receiveMaximum)
    }

    func takePrologue() -> [UInt8] {
        defer { prologue = [] }
        return prologue
    }

    /// Whether the next packet may be taken.
    var takesPackets: Bool {
        switch conversation.phase {
        case .awaitingConnect: true
        case .open: !awaitsDrain && !conversation.isCongested
        case .deciding, .ended: false
        }
    }

    var hasEnded: Bool { conversation.phase == .ended }
}

/// Connections by number.
struct ConnectionTable {
    private var slots: [DeviceConnection?] = []
    private var free: [Int] = []

    subscript(slot: Int) -> DeviceConnection? { slots.indices.contains(slot) ? slots[slot] : nil }

    var count: Int { slots.count - free.count }

    /// The number that the next connection gets.
    var nextSlot: Int { free.last ?? slots.count }

    mutating func insert(_ device: DeviceConnection) {
        if let slot = free.popLast() {
            precondition(slot == device.slot)
            slots[slot] = device
        } else {
            precondition(slots.count == device.slot)
            slots.append(device)
        }
    }

    mutating func remove(_ device: DeviceConnection) {
        slots[device.slot] = nil
        free.append(device.slot)
    }

    func forEach(_ body: (DeviceConnection) -> Void) {
        for case let device? in slots { body(device) }
    }
}
