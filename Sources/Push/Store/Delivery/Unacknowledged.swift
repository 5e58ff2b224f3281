/// What a connection has sent and its device has not acknowledged, as the loop that has it counts it.
public struct Unacknowledged: Hashable, Sendable {
    /// PUBLISH packets without PUBACK, also of messages that are over by now.
    public let count: Int
    /// How long ago the oldest of them was sent, in milliseconds; `nil` where there is none. An age and no time of day: the
    /// clocks of two nodes differ.
    public let oldestAge: Int64?

    /// What there is of one connection.
    public init(count: Int, oldestAge: Int64?) {
        self.count = count
        self.oldestAge = oldestAge
    }

    /// Of a connection that has ended or has not begun.
    public static let none = Unacknowledged(count: 0, oldestAge: nil)
}
