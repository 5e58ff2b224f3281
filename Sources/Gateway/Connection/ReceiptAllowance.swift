internal import Base
internal import Push

/// How many receipts a device may send in a minute, over all loops of the process and over all of its connections. Each
/// connection counts its own; what is shared is only what a device had sent when it left.
public final class ReceiptAllowance: Sendable {
    private struct Book {
        var minute: UInt16 = 0
        var sent: [DeviceHandle: UInt16] = [:]
    }

    /// Devices that are remembered in a minute; one beyond may begin anew with each connection.
    private static let capacity = 131_072

    /// `nil`: any number.
    let perMinute: Int?
    /// How long a minute is, in nanoseconds.
    private let length: Int64
    private let book = Locked(Book())

    /// - Parameters:
    ///   - perMinute: 65,534 at most; `nil`: any number.
    ///   - minute: how long a minute is.
    public init(perMinute: Int?, minute: Duration = .seconds(60)) {
        self.perMinute = perMinute
        length = Int64(minute / .nanoseconds(1))
    }

    /// The number of the minute at that time; it begins anew after weeks.
    /// - Parameter nanoseconds: of a clock that never jumps.
    func minute(_ nanoseconds: Int64) -> UInt16 { UInt16(truncatingIfNeeded: nanoseconds / length) }

    /// How long the minute of that time lasts from then on.
    func rest(_ nanoseconds: Int64) -> Duration { .nanoseconds(length - nanoseconds % length) }

    /// A device leaves that has sent so many in this minute, those of its earlier connections included.
    func leave(_ device: DeviceHandle, having sent: UInt16, in minute: UInt16) {
        guard perMinute != nil, sent > 0 else { return }
        book.withLock { book in
            if book.minute != minute { book = Book(minute: minute) }
            guard book.sent.count < Self.capacity || book.sent[device] != nil else { return }
            book.sent[device] = sent
        }
    }

    /// How many a device that comes has sent in this minute.
    func sent(by device: DeviceHandle, in minute: UInt16) -> UInt16 {
        guard perMinute != nil else { return 0 }
        return book.withLock { book in book.minute == minute ? book.sent[device] ?? 0 : 0 }
    }
}
