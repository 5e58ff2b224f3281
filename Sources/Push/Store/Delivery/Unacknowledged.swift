/// What a connection has sent and its device has not acknowledged, as the loop that has it counts it.
///
/// Times are ages and no times of day: the clocks of two nodes differ.
public struct Unacknowledged: Hashable, Sendable {
    /// A message that the connection remembers.
    public struct Message: Hashable, Sendable {
        /// Where it stands in its lane.
        public let position: Position
        /// How long ago it was sent, or acknowledged, in milliseconds.
        public let age: Int64
        /// It is acknowledged, and remembered since an older one is not.
        public let isAcknowledged: Bool

        /// A message that was sent.
        public init(position: Position, age: Int64, isAcknowledged: Bool = false) {
            self.position = position
            self.age = age
            self.isAcknowledged = isAcknowledged
        }
    }

    /// PUBLISH packets without PUBACK, also of messages that are over by now; and those that are acknowledged and remembered.
    public let messages: [Message]

    /// What there is of one connection.
    public init(messages: [Message]) { self.messages = messages }

    /// Of a connection that has ended or has not begun.
    public static let none = Unacknowledged(messages: [])

    /// How many are not acknowledged.
    public var count: Int { messages.count { !$0.isAcknowledged } }

    /// How long ago the oldest of those was sent, in milliseconds; `nil` where there is none.
    public var oldestAge: Int64? { messages.lazy.filter { !$0.isAcknowledged }.map(\.age).max() }
}
