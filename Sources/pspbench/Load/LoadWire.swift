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
