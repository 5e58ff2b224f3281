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

/// One message to send.
struct LoadMessage {
    /// The device's number.
    var target: Int
    var mark: Mark
    /// Unique among those that a connection has unanswered; not 0.
    var identifier: UInt16
}

/// What the other end said.
enum LoadAnswer: Equatable {
    /// The connection may send.
    case ready
    case accepted
    case refused(String)
}

/// The protocol that a load is sent by: bytes out, answers in.
protocol LoadWire: Sendable {
    /// What a connection says first; nil: nothing, it may send at once.
    func greeting(of connection: Int) -> [UInt8]?
    /// Appends the message.
    mutating func write(_ message: LoadMessage, to bytes: inout [UInt8])
    /// The next answer at `bytes[consumed]`, which it steps over; nil when it has not all arrived.
    ///
    /// - Throws: `BenchError` for what is no answer.
    func answer(_ bytes: UnsafeRawBufferPointer, consumed: inout Int) throws(BenchError) -> LoadAnswer?
}

/// What a load has counted.
struct LoadReport: Codable, Sendable {
    /// Messages that were answered well, and those refused.
    var accepted = 0
    var refused = 0
    /// Messages without an answer.
    var unanswered = 0
    /// Messages that were due while every connection waited for an answer.
    var late = 0
    /// From the first message to the last answer, in microseconds.
    var elapsed: Int64 = 0
    /// From sending a message to its answer, in microseconds.
    var latency: Latencies.Summary?
    var buckets: [[UInt64]]?
    /// Why the last one was refused or lost.
    var lastTrouble: String?
}
