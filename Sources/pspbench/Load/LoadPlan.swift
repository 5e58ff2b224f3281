internal import Libevent

/// How many messages to send, to whom and how fast.
struct LoadPlan: Sendable {
    /// The server.
    var address: SocketAddress
    /// Connections that send at the same time.
    var connections = 64
    /// Messages that a connection may have unanswered.
    var inFlight = 1
    /// Messages to send; nil: until the duration is over.
    var count: Int?
    /// How long to send.
    var duration: Duration = .seconds(10)
    /// Messages a second; 0: each as soon as an answer has come.
    var rate = 0.0
    /// The devices' numbers: they get the messages in turn.
    var targets = 0..<1
    /// The first message's sequence.
    var sequence: UInt32 = 1
}
