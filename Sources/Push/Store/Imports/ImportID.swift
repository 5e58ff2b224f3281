internal import Base
internal import Crypto

/// The number of an import, by which it is looked up. Opaque.
public struct ImportID: Hashable, Sendable, CustomStringConvertible {
    /// The number as operators see it.
    public let text: String
    /// Any text: the store decides whether there is such an import.
    public init(_ text: String) { self.text = text }
    /// A number that no other import has: 64 random bits, so that not even a store that was put back to an earlier state gives
    /// one out again.
    public static func drawn() -> ImportID { ImportID(Hex.encode(Random.bytes(8))) }
    /// The number as operators see it.
    public var description: String { text }
}
