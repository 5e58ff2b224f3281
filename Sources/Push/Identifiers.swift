internal import Base

/// A name chosen by a caller or an operator: 1 to 128 of `A-Z a-z 0-9 . _ : @ -`, case-sensitive.
///
/// Each kind is a type of its own, so that a device token never stands where an organisation is meant.
public protocol Identifier: Hashable, Sendable, CustomStringConvertible {
    /// The name as it was given.
    var text: String { get }
    /// Takes a name that is known to be valid, for example one that the store reads back.
    init(unchecked text: String)
}

extension Identifier {
    /// `nil` where `text` is not 1 to 128 of the allowed characters.
    public init?(_ text: String) {
        guard Self.isValid(text) else { return nil }
        self.init(unchecked: text)
    }

    /// The name as it was given.
    public var description: String { text }

    static func isValid(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (1...128).contains(bytes.count) else { return false }
        return bytes.allSatisfy { $0.isNameByte || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "@") }
    }
}

/// The calling project.
public struct AppKey: Identifier {
    /// The name as it was given.
    public let text: String
    /// Takes a name that is known to be valid.
    public init(unchecked text: String) { self.text = text }
}

/// An organisation of the tree.
public struct OrgID: Identifier {
    /// The name as it was given.
    public let text: String
    /// Takes a name that is known to be valid.
    public init(unchecked text: String) { self.text = text }
}

/// The name under which a device connects.
public struct DeviceToken: Identifier {
    /// The name as it was given.
    public let text: String
    /// Takes a name that is known to be valid.
    public init(unchecked text: String) { self.text = text }
}

/// A person who holds devices.
public struct UserID: Identifier {
    /// The name as it was given.
    public let text: String
    /// Takes a name that is known to be valid.
    public init(unchecked text: String) { self.text = text }
}

/// The number of a push, by which it is looked up. Opaque, at most 32 characters; only the store parses it.
public struct TaskID: Hashable, Sendable, CustomStringConvertible {
    /// The number as callers and devices see it.
    public let text: String
    /// Any text: the store decides whether there is such a task.
    public init(_ text: String) { self.text = text }
    /// The number as callers and devices see it.
    public var description: String { text }
}
