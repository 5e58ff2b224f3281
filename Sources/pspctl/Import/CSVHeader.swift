import JSON
import Push

/// The first line of a CSV file: which fields of an import line its columns are.
struct CSVHeader {
    /// The fields that a column may be. Without a column `kind` every record is a device.
    private enum Field: String, CaseIterable {
        case kind, id, name, platform, test, disabled, secret, interfaces, addresses
        case organisation = "org_id"
        case user = "user_id"
        case parent = "parent_id"
        case masterSecret = "master_secret"
        case hmacOnly = "hmac_only"
        case perSecond = "pushes_per_second"
        case perDay = "pushes_per_day"
    }

    private let columns: [Field]

    /// - Throws: `Failure.file` where a column is none of the fields, or is there twice.
    init(_ record: CSVRecords.Record, of file: String) throws(Failure) {
        let place = "\(file):\(record.lines.lowerBound)"
        var columns: [Field] = []
        for name in record.fields {
            let known = Field(rawValue: String(name.filter { $0 != " " }).lowercased())
            guard let known, !columns.contains(known) else {
                let fields = Field.allCases.map(\.rawValue).joined(separator: ", ")
                let shown = Output.printable(String(name.prefix(40)))
                let fault =
                    known == nil
                    ? say("no field “\(shown)”", "没有字段“\(shown)”") : say("“\(shown)” is there twice", "“\(shown)”重复出现")
                throw .file(
                    path: place,
                    reason:
                        say(
                            "\(fault): the first line of a CSV file names its columns, of \(fields); "
                                + "other files are JSON, an object a line",
                            "\(fault)：CSV 文件的第一行是列名，可用 \(fields)；其他文件为 JSON，每行一个对象")
                )
            }
            columns.append(known)
        }
        guard columns.contains(.id) else { throw .file(path: place, reason: say("no column “id”", "没有“id”列")) }
        self.columns = columns
    }

    /// The line of an import that says the same. An empty cell is a field that is left out.
    /// - Throws: where there are more cells than columns, so that nobody knows which is which.
    func line(_ record: CSVRecords.Record) throws(ImportResult.LineFailure) -> [UInt8] {
        guard record.fields.count <= columns.count else {
            throw ImportResult.LineFailure(
                line: record.lines.lowerBound, code: ErrorCode.invalidValue.rawValue,
                text: say(
                    "\(record.fields.count) cells, and \(columns.count) columns", "\(record.fields.count) 个单元格，\(columns.count) 列"
                ),
                field: nil)
        }
        var json = JSONWriter()
        json.object { json in
            if !columns.contains(.kind) { json.member("kind", "device") }
            for (column, cell) in zip(columns, record.fields) where !cell.isEmpty {
                switch (column, cell.lowercased()) {
                case (.test, "true"), (.disabled, "true"), (.hmacOnly, "true"): json.member(column.rawValue, true)
                case (.test, "false"), (.disabled, "false"), (.hmacOnly, "false"): json.member(column.rawValue, false)
                case (.perSecond, _), (.perDay, _):
                    json.key(column.rawValue)
                    if let count = Int(cell) { json.value(count) } else { json.value(cell) }
                case (.interfaces, _), (.addresses, _):
                    json.key(column.rawValue)
                    json.array { json in
                        for word in cell.split(whereSeparator: { " ;,".contains($0) }) { json.value(String(word)) }
                    }
                default: json.member(column.rawValue, cell)
                }
            }
        }
        return json.bytes
    }
}
