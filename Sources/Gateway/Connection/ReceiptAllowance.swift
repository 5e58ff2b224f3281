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
    private let book = Locked(Book())

    /// - Parameter perMinute: 65,534 at most; `nil`: any number.
    public init(perMinute: Int?) { self.perMinute = perMinute }

    /// The number of a minute; it begins anew after weeks.
    /// - Parameter nanoseconds: of a clock that never jumps.
    static func minute(_ nanoseconds: Int64) -> UInt16 { UInt16(truncatingIfNeeded: nanoseconds / 60_000_000_000) }

    /// A device leaves that has sent so many in that minute, those of its earlier connections included.
    func leave(_ device: DeviceHandle, having sent: UInt16, in minute: UInt16) {
        guard perMinute != nil, sent > 0 else { return }
        book.withLock { book in
            if book.minute != minute { book = Book(minute: minute) }
            guard book.sent.count < Self.capacity || book.sent[device] != nil else { return }
            book.sent[device] = sent
        }
    }

    /// How many a device that comes has sent in that minute.
    func sent(by device: DeviceHandle, in minute: UInt16) -> UInt16 {
        guard perMinute != nil else { return 0 }
        return book.withLock { book in book.minute == minute ? book.sent[device] ?? 0 : 0 }
    }
}
