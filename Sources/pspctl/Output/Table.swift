import JSON

/// Rows under headings, in columns as wide as what they hold; where a terminal is narrower, the widest columns give way. The
/// first column is the identifier, which is never cut: two that begin alike would look the same.
struct Table {
    private var columns: [Column]
    private var rows: [[String]] = []

    var isEmpty: Bool { rows.isEmpty }

    /// A column is not made narrower than this.
    private static let narrowest = 6

    init(_ columns: [Column]) {
        self.columns = columns
    }

    mutating func add(_ item: JSONValue) {
        rows.append(columns.map { $0.text(item) })
    }

    /// The lines, headings first.
    /// - Parameter width: what the terminal has, in cells; `nil` for no limit.
    func lines(width: Int? = nil) -> [String] {
        var table = self
        let shown = columns.indices.filter { index in !columns[index].isOptional || rows.contains { $0[index] != "-" } }
        table.columns = shown.map { columns[$0] }
        table.rows = rows.map { row in shown.map { row[$0] } }
        return table.allLines(width: width)
    }

    private func allLines(width: Int?) -> [String] {
        let headings = columns.map(\.heading)
        let widths = fitting(natural(headings), to: width)
        return ([headings] + rows).map { cells in
            var line = ""
            for index in columns.indices {
                let cell = Terminal.cut(cells[index], to: widths[index])
                let padding = String(repeating: " ", count: widths[index] - Terminal.width(of: cell))
                line += columns[index].isNumber ? padding + cell : cell + padding
                line += "  "
            }
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    private func natural(_ headings: [String]) -> [Int] {
        columns.indices.map { index in
            rows.reduce(Terminal.width(of: headings[index])) { max($0, Terminal.width(of: $1[index])) }
        }
    }

    /// Takes from the widest until all fit. Numbers keep their digits.
    private func fitting(_ natural: [Int], to width: Int?) -> [Int] {
        guard let width else { return natural }
        var widths = natural
        var excess = natural.reduce(0, +) + 2 * (columns.count - 1) - width
        while excess > 0 {
            let candidates = columns.indices.dropFirst().filter { !columns[$0].isNumber && widths[$0] > Table.narrowest }
            guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
            widths[widest] -= 1
            excess -= 1
        }
        return widths
    }
}
