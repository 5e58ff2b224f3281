import JSON

/// Rows under headings, in columns as wide as what they hold.
struct Table {
    private let columns: [Column]
    private var rows: [[String]] = []

    init(_ columns: [Column]) {
        self.columns = columns
    }

    mutating func add(_ item: JSONValue) {
        rows.append(columns.map { $0.text(item) })
    }

    /// The lines, headings first.
    var lines: [String] {
        let headings = columns.map(\.heading)
        let widths = columns.indices.map { index in
            rows.reduce(Table.width(headings[index])) { max($0, Table.width($1[index])) }
        }
        return ([headings] + rows).map { cells in
            var line = ""
            for index in columns.indices {
                let padding = String(repeating: " ", count: widths[index] - Table.width(cells[index]))
                line += columns[index].isNumber ? padding + cells[index] : cells[index] + padding
                line += "  "
            }
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// How many cells of a terminal a text takes: two for an East Asian wide character (UAX #11), one for any other.
    static func width(_ text: String) -> Int {
        text.reduce(0) { width, character in
            guard let first = character.unicodeScalars.first else { return width }
            return width + (isWide(first) ? 2 : 1)
        }
    }

    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6,
            0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }
}
