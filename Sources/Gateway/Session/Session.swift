internal import MQTT
internal import Push

/// One device's session: what it has been offered, what is on its way, and whether it is live or catches up.
///
/// Values and rules only; the ``Dispatcher`` decides what is offered, the shard carries bytes.
final class Session {
    /// The only two states of delivery.
    enum State {
        /// What is appended is sent at once, while the window has room.
        case live
        /// It reads pages of the log.
        case catchingUp
        /// Nothing is offered any more; acknowledgements still count.
        case closing
    }

    let device: DeviceHandle
    let id: SessionID
    let version: ProtocolVersion
    /// The largest packet that the device takes, in bytes with its fixed header.
    let maximumPacketSize: Int
    /// The shard's number of its connection.
    let connection: Int

    var state = State.catchingUp
    var window: Window
    /// Everything up to here that concerns the device was offered. A live session may be further: see ``Dispatcher``.
    var offeredUpTo: Position
    /// Acknowledged on an earlier connection, beyond the cursor; ascending.
    var settledBeyond: [Position]

    /// Where the device belongs; `nil` until the first page told it. Set it through the ``SessionTable``.
    var membership: Membership?
    /// Feed entries about the device's membership up to here are in ``membership``.
    var membershipAt = Position.start
    /// The last change of membership that was seen, or where the session began to see them: after it, what concerns the device is known
    /// from ``membership`` alone.
    var membershipSince: Position

    /// A page was asked for and has not come. At most one.
    var isReading = false
    /// It waits for its turn to read a page or the ring.
    var isWaiting = false
    /// Changes when a page that was asked for before must not be used.
    var epoch: UInt32 = 0

    /// Its place in the ``SessionTable``.
    var slot = -1
    /// Frames that are not yet handed to the connection; they never outlive an entry into the shard.
    var output: [UInt8] = []

    /// - Parameter began: the feed had been applied up to here when the session entered the table.
    init(
        attached: Attached, id: SessionID, connection: Int, version: ProtocolVersion, maximumPacketSize: Int, window: Window,
        began: Position
    ) {
        device = attached.device
        self.id = id
        self.connection = connection
        self.version = version
        self.maximumPacketSize = maximumPacketSize
        self.window = window
        offeredUpTo = attached.settledUpTo
        settledBeyond = attached.settledBeyond.filter { $0 > attached.settledUpTo }.sorted()
        membershipSince = began
    }

    /// How many rows a page may hold: what the window has room for, and what will be left out.
    var pageLimit: Int { window.room + settledBeyond.count }

    /// Whether the device had acknowledged that row on an earlier connection.
    func wasSettledBefore(_ position: Position) -> Bool {
        // Never more than a window, and mostly none.
        settledBeyond.contains(position)
    }

    /// Forgets what is behind the session.
    func forgetSettled() {
        guard let first = settledBeyond.first, first <= offeredUpTo else { return }
        settledBeyond.removeAll { $0 <= offeredUpTo }
    }
}
