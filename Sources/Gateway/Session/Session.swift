internal import MQTT
internal import Push

/// One device's session: what it has been offered, what is on its way, and whether it is live or catches up.
///
/// Values and rules only; the ``Dispatcher`` decides what is offered, the shard carries bytes. An idle device should cost
/// little, so the numbers are as small as their ranges allow.
final class Session {
    /// The two states of delivery, and the end of it.
    enum State {
        /// What is appended is sent at once, while the window has room.
        case live
        /// It reads pages of the log.
        case catchingUp
        /// Nothing is offered any more; acknowledgements still count.
        case frozen
    }

    let device: DeviceHandle
    let id: SessionID
    /// The shard's number of its connection.
    let connectionSlot: Int32
    /// Its place in the ``SessionTable``.
    var slot: Int32 = -1
    /// What the device sends, and the answers to it.
    var conversation: Conversation

    var window: Window
    // Small values stand together, so that they take no room of their own.
    var state = State.catchingUp
    /// A page was asked for and has not come. At most one.
    var isReadingPage = false
    /// It is in the ``PageQueue``.
    var isQueuedForPage = false
    /// It is among the sessions that the dispatcher flushes next.
    var isQueuedForFlush = false
    /// ``output`` begins with the CONNACK.
    var owesConnack: Bool
    /// It is among the sessions whose window was found full.
    var isBlocked = false
    /// Everything up to here that concerns the device was offered. A live session may be further: see ``Dispatcher``.
    var offeredUpTo: Position

    /// Feed entries about the device's membership up to here are in ``membership``.
    var membershipAt = Position.start
    /// The last change of membership that was seen, or where the session began to see them. After it, ``membership`` alone
    /// tells what concerns the device.
    var membershipSince: Position
    /// Where the device belongs; `nil` until the first page told it. Set it through the ``SessionTable``.
    var membership: Membership?
    /// Somebody looks after the age of its oldest message without PUBACK.
    var isWatched = false
    /// Changes when a page that was asked for before must not be used.
    var epoch: UInt16 = 0
    /// Its next page begins at the cursor, to tell what of its window is over.
    var looksBack = false
    /// What happens to it is told: see ``Dispatcher/onTrace``.
    var isTraced = false
    /// What is to be sent and has not been handed to the connection. But for a CONNACK that waits for the first page, it never
    /// outlives an entry into the shard.
    var output: [UInt8]

    /// - Parameters:
    ///   - began: the feed had been applied up to here when the session entered the table.
    ///   - connack: the first of its output.
    init(
        attached: Attached, id: SessionID, connection: Int, conversation: Conversation, window: Window, began: Position,
        connack: [UInt8]
    ) {
        device = attached.device
        self.id = id
        connectionSlot = Int32(connection)
        self.conversation = conversation
        self.window = window
        offeredUpTo = attached.settledUpTo
        membershipSince = began
        owesConnack = !connack.isEmpty
        output = connack
    }

    var version: ProtocolVersion { conversation.version }

    /// Messages of the window that have ended hold it no more; see ``Window/end(where:)``.
    func endMessages(where hasEnded: (Position, _ expires: UInt32) -> Bool) {
        // By a copy, so that nothing is called while the window is being changed. Otherwise the compiler has to watch, at every
        // delivery, whether that happens.
        var changed = window
        changed.end(where: hasEnded)
        window = changed
    }

    /// Whether the device takes a packet of so many bytes.
    func takes(packetSize: Int) -> Bool { conversation.takes(packetSize: packetSize) }
}
