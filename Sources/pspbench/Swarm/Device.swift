internal import Libevent

/// One simulated device.
final class Device {
    enum State: UInt8 {
        /// Not yet connected, or disconnected on purpose.
        case idle
        /// TCP is being established.
        case connecting
        /// CONNECT is sent.
        case greeting
        /// SUBSCRIBE is sent.
        case subscribing
        /// It receives.
        case ready
        /// The server refused or closed it.
        case lost
    }

    /// Its number in the swarm: what replaces `{}` in names and topics.
    let number: Int
    var state = State.idle
    var connection: Connection?
    /// PUBLISH packets since the last reset.
    var received: UInt32 = 0
    /// The last sequence of each stream.
    var lastGroup: UInt32 = 0
    var lastSingle: UInt32 = 0
    /// The acknowledgements that it keeps back.
    var held: [UInt8] = []

    init(number: Int) { self.number = number }
}
