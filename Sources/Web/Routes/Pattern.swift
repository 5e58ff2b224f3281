internal import Glibc

/// The address of a route: literal segments, `{name}` for one whole segment, and as the last segment `{name...}` for everything
/// that is left of the path, which may be nothing.
///
/// ```
/// /psp/push/task/{task_id}/devices
/// /console/{path...}
/// ```
///
/// A class, so that looking at one copies nothing.
public final class Pattern: Sendable {
    /// What a path is compared with, piece by piece.
    private enum Piece: Sendable {
        /// Text with its slashes.
        case literal(String)
        /// One segment, of one byte at least.
        case parameter
        /// What is left.
        case rest
    }

    /// The pattern as it was written.
    public let text: String
    /// The names of its parameters, in the order of the path.
    public let names: [String]
    /// Those of the text.
    private let bytes: [UInt8]
    private let pieces: [Piece]
    /// One number for each segment; see ``isMoreSpecific(than:)``.
    private let ranks: [UInt8]

    /// - Parameter text: one of the program's own, not a caller's; a mistake in it is a trap.
    init(_ text: String) {
        precondition(text.hasPrefix("/"), "an address begins with a slash: \(text)")
        var names: [String] = []
        var pieces: [Piece] = []
        var ranks: [UInt8] = []
        var literal = ""
        for segment in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            literal += "/"
            precondition(ranks.last != Self.rank(of: .rest), "nothing stands behind a wildcard: \(text)")
            guard segment.hasPrefix("{"), segment.hasSuffix("}") else {
                precondition(!segment.contains("{"), "a parameter is a whole segment: \(text)")
                literal += segment
                ranks.append(Self.rank(of: .literal("")))
                continue
            }
            let isRest = segment.hasSuffix("...}")
            let piece = isRest ? Piece.rest : .parameter
            names.append(String(segment.dropFirst().dropLast(isRest ? 4 : 1)))
            pieces += [.literal(literal), piece]
            ranks.append(Self.rank(of: piece))
            literal = ""
        }
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        self.text = text
        bytes = Array(text.utf8)
        self.names = names
        self.pieces = pieces
        self.ranks = ranks
    }

    /// Compares a path byte by byte: addresses are case-sensitive, and no literal segment needs an escape.
    /// - Returns: the values of the parameters as they were sent (percent-encoded), none for a literal address; `nil` where the
    ///   path is another.
    @usableFromInline
    func match(_ path: String) -> [Substring]? {
        if names.isEmpty { return isText(path) ? [] : nil }
        var values: [Substring] = []
        var rest = path.utf8[...]
        for piece in pieces {
            switch piece {
            case .literal(let text):
                guard rest.starts(with: text.utf8) else { return nil }
                rest = rest.dropFirst(text.utf8.count)
            case .parameter:
                let segment = rest.prefix { $0 != UInt8(ascii: "/") }
                guard !segment.isEmpty else { return nil }
                values.append(Substring(segment))
                rest = rest[segment.endIndex...]
            case .rest:
                values.append(Substring(rest))
                rest = rest[rest.endIndex...]
            }
        }
        return rest.isEmpty ? values : nil
    }

    /// By bytes: two strings are equal as soon as Unicode takes them for the same text.
    private func isText(_ path: String) -> Bool {
        guard path.utf8.count == bytes.count else { return false }
        // Their memory, since to walk along two strings costs a thousand instructions.
        var path = path
        return path.withUTF8 { path in path.baseAddress.map { memcmp($0, bytes, bytes.count) == 0 } ?? false }
    }

    // MARK: Order

    /// Whether it is asked before the other where both match: at the first segment in which they differ in kind, a literal comes
    /// before a parameter, and a parameter before a wildcard.
    func isMoreSpecific(than other: Pattern) -> Bool { ranks.lexicographicallyPrecedes(other.ranks) }

    private static func rank(of piece: Piece) -> UInt8 {
        switch piece {
        case .literal: 0
        case .parameter: 1
        case .rest: 2
        }
    }
}
