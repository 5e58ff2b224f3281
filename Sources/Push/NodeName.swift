/// What one of several processes that share a store is called, in figures, logs and answers.
public struct NodeName: Hashable, Sendable, CustomStringConvertible {
    /// The longest name, in bytes.
    public static let longest = 64

    /// Letters and digits of ASCII, `.`, `_` and `-`: fit for a label, a file's name and a column.
    public let text: String

    /// - Returns: `nil` for what is no name: empty, too long, or with other characters.
    public init?(_ text: String) {
        guard (1...Self.longest).contains(text.utf8.count), text.utf8.allSatisfy(Self.isFit) else { return nil }
        self.text = text
    }

    /// As much of a host's name as is fit for one; "node" where that is nothing.
    public init(host: String) {
        let fit = host.utf8.prefix(Self.longest).map { Self.isFit($0) ? $0 : UInt8(ascii: "-") }
        text = fit.contains { $0 != UInt8(ascii: "-") } ? String(decoding: fit, as: UTF8.self) : "node"
    }

    /// The name itself.
    public var description: String { text }

    private static func isFit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }
}
