/// Limits the lines of the log that peers can bring about: of each kind and cause one line a second, and how many more there
/// were. It knows no clock: somebody tells it that a second has passed, for as long as it remembers anything.
struct LineLimit {
    struct Kind: Hashable {
        /// The line's text.
        let line: String
        /// The cause in the server's own words: one that a peer could word would be limited by nothing.
        let cause: String
    }

    /// Lines of the running second that were left out, by kind.
    private var leftOut: [Kind: Int] = [:]
    /// More kinds than this in a second are one.
    static let kinds = 64

    /// Nothing was written in the last second.
    var isEmpty: Bool { leftOut.isEmpty }

    /// - Returns: whether a line of that kind is to be written now; else it is counted.
    mutating func admits(_ kind: Kind) -> Bool {
        let isKnown = leftOut[kind] != nil
        let kind = isKnown || leftOut.count < Self.kinds ? kind : Kind(line: "other lines", cause: "")
        guard let count = leftOut[kind] else {
            leftOut[kind] = 0
            return true
        }
        leftOut[kind] = count + 1
        return false
    }

    /// A second has passed.
    /// - Returns: which lines it left out, and how many of each.
    mutating func secondHasPassed() -> [(kind: Kind, count: Int)] {
        let found = leftOut.filter { $0.value > 0 }
        // Telling of them is a line too: the next one of that kind waits for another second.
        leftOut = found.mapValues { _ in 0 }
        return found.map { ($0.key, $0.value) }
    }
}

extension String {
    /// As much of a peer's words as a line of the log takes: 64 bytes, in whole characters.
    var cutForLog: String {
        guard utf8.count > 64 else { return self }
        var cut = ""
        for character in self {
            guard cut.utf8.count + String(character).utf8.count <= 64 else { break }
            cut.append(character)
        }
        return cut + "…"
    }
}
