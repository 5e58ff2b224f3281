package import Push

// The numbers by which values stand in a data directory or a database. None of them may change its meaning.

extension Platform {
    /// As it is stored.
    package var number: Int64 {
        switch self {
        case .android: 0
        case .ios: 1
        }
    }

    /// From its stored number.
    package init(number: Int64) { self = number == 0 ? .android : .ios }
}

extension DisplayType {
    /// As it is stored.
    package var number: Int64 {
        switch self {
        case .notification: 0
        case .message: 1
        }
    }

    /// From its stored number.
    package init(number: Int64) { self = number == 0 ? .notification : .message }
}

extension ReceiptEvent {
    /// As it is stored.
    package var number: Int64 {
        switch self {
        case .opened: 1
        case .applied: 2
        case .failed: 3
        }
    }
}

extension RecipientState {
    /// The number under which a store keeps what a device told when it rejected a task, beside those of ``ReceiptEvent``.
    package static var rejectionNumber: Int64 { 4 }
}

extension Set<Interface> {
    /// As they are stored: a bit each.
    package var bits: Int64 { (contains(.message) ? 1 : 0) | (contains(.configuration) ? 2 : 0) }

    /// From their stored bits.
    package init(bits: Int64) {
        self = []
        if bits & 1 != 0 { insert(.message) }
        if bits & 2 != 0 { insert(.configuration) }
    }
}

extension UserHandle {
    /// As tables name a user.
    package var number: Int64 { Int64(bitPattern: raw) }
}
