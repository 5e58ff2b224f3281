internal import Postgres

/// A table that is filled from elsewhere, and the columns that are given.
package struct FilledTable {
    /// What a column's values are.
    package enum Kind {
        /// A number of whatever size.
        case number
        case flag
        case bytes
        /// An array of numbers, of that type: `integer[]`, `bigint[]`.
        case numbers(String)

        /// What its values come in.
        fileprivate var array: String {
            switch self {
            case .number: "bigint[]"
            case .flag: "boolean[]"
            case .bytes: "bytea[]"
            case .numbers: "text[]"
            }
        }
    }

    package let name: String
    let columns: [(name: String, kind: Kind)]
    let statement: PostgresStatement

    /// - Parameter columns: by name, in the order of their values.
    package init(_ name: String, _ columns: KeyValuePairs<String, Kind>) {
        self.name = name
        self.columns = columns.map { ($0.key, $0.value) }
        let names = columns.map(\.key).joined(separator: ", ")
        let arrays = columns.indices.map { "$\($0 + 1)::\(columns[$0].value.array)" }.joined(separator: ", ")
        let values = columns.map { column in
            if case .numbers(let type) = column.value { "u.\(column.key)::\(type)" } else { "u.\(column.key)" }
        }
        statement = PostgresStatement(
            """
            INSERT INTO psp.\(name) (\(names)) OVERRIDING SYSTEM VALUE
            SELECT \(values.joined(separator: ", ")) FROM unnest(\(arrays)) AS u(\(names)) WHERE \(SchemaFilling.guarded)
            """)
    }
}

/// A value of a column.
package enum FilledValue {
    case null
    case number(Int64)
    case flag(Bool)
    case bytes([UInt8])
    case numbers([Int64])

    package static func number(_ value: Int64?) -> FilledValue { value.map { .number($0) } ?? .null }
    package static func position(_ value: UInt64) -> FilledValue { .number(Int64(bitPattern: value)) }
    package static func bytes(_ value: [UInt8]?) -> FilledValue { value.map { .bytes($0) } ?? .null }
    package static func text(_ value: String) -> FilledValue { .bytes(Array(value.utf8)) }

    var byteCount: Int {
        switch self {
        case .null, .flag: 4
        case .number: 12
        case .bytes(let bytes): 4 + bytes.count
        case .numbers(let numbers): 4 + 20 * numbers.count
        }
    }
}

/// Rows on their way into a table, as many as go in one call.
struct FilledRows {
    private static let mostBytes = 1 << 20
    private static let most = 4_096

    private var values: [FilledValue] = []
    private var bytes = 0
    private(set) var count = 0

    mutating func append(_ row: [FilledValue]) {
        for value in row { bytes += value.byteCount }
        values += row
        count += 1
    }

    var isFull: Bool { bytes >= Self.mostBytes || count >= Self.most }

    /// The call's arguments: an array a column.
    func arguments(of table: FilledTable) -> PostgresArguments {
        let width = table.columns.count
        precondition(values.count == count * width, "a row of \(table.name) has another number of values")
        var arguments = PostgresArguments(reserving: bytes + width * 32)
        for (column, (name, kind)) in table.columns.enumerated() {
            arguments.appendArray(of: kind.element) { array in
                for index in stride(from: column, to: values.count, by: width) {
                    switch (values[index], kind) {
                    case (.null, _): array.appendNull()
                    case (.number(let number), .number): array.append(int8: number)
                    case (.flag(let flag), .flag): array.append(bool: flag)
                    case (.bytes(let bytes), .bytes): array.append(bytea: bytes)
                    case (.numbers(let numbers), .numbers):
                        array.append(text: "{\(numbers.map(String.init).joined(separator: ","))}")
                    default: preconditionFailure("\(table.name).\(name) is no \(values[index])")
                    }
                }
            }
        }
        return arguments
    }
}

extension FilledTable.Kind {
    fileprivate var element: PostgresType {
        switch self {
        case .number: .int8
        case .flag: .bool
        case .bytes: .bytea
        case .numbers: .text
        }
    }
}
