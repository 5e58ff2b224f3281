/// The rows that a call was answered with: all values in one buffer, in PostgreSQL's binary formats.
///
/// A column that is not of the type which the program asks for, or that there is none of, a null where none was expected: each is
/// a ``PostgresShapeError``, since the program and its SQL do not fit together.
public struct PostgresRows: Sendable {
    struct Cell: Sendable {
        let offset: Int
        /// -1: it is null.
        let count: Int
    }

    var bytes: [UInt8] = []
    var cells: [Cell] = []
    var columns: [PostgresType] = []

    /// How many rows a statement without a result has changed; where it has one, how many rows that has.
    public internal(set) var affected = 0

    /// How many rows there are.
    public internal(set) var count = 0

    /// How many columns each has.
    public var columnCount: Int { columns.count }

    /// The bytes of all values together.
    public var byteCount: Int { bytes.count }

    /// Whether a value is null.
    public func isNull(_ row: Int, _ column: Int) -> Bool { cell(row, column).count < 0 }

    /// An `integer`; nil: null.
    public func int4(_ row: Int, _ column: Int) throws(PostgresShapeError) -> Int32? {
        try cell(row, column, of: .int4, count: 4).map { bytes.bigEndian(at: $0.offset, as: Int32.self) }
    }

    /// A `bigint`; nil: null.
    public func int8(_ row: Int, _ column: Int) throws(PostgresShapeError) -> Int64? {
        try cell(row, column, of: .int8, count: 8).map { bytes.bigEndian(at: $0.offset, as: Int64.self) }
    }

    /// A `boolean`; nil: null.
    public func bool(_ row: Int, _ column: Int) throws(PostgresShapeError) -> Bool? {
        try cell(row, column, of: .bool, count: 1).map { bytes[$0.offset] != 0 }
    }

    /// A `text`; nil: null.
    public func text(_ row: Int, _ column: Int) throws(PostgresShapeError) -> String? {
        try cell(row, column, of: .text).map { String(decoding: bytes[$0.offset..<$0.offset + $0.count], as: UTF8.self) }
    }

    /// A `bytea`; nil: null.
    public func bytea(_ row: Int, _ column: Int) throws(PostgresShapeError) -> [UInt8]? {
        try cell(row, column, of: .bytea).map { Array(bytes[$0.offset..<$0.offset + $0.count]) }
    }

    /// A `bytea` or `text` in place, without a copy of it; nil: null.
    public func withBytes<R>(_ row: Int, _ column: Int, _ body: (RawSpan?) -> R) -> R {
        let cell = cell(row, column)
        guard cell.count >= 0 else { return body(nil) }
        return body(bytes.span.bytes.extracting(cell.offset..<cell.offset + cell.count))
    }

    /// An array of one dimension, to be read element by element; nil: null.
    /// - Parameter element: what it is an array of.
    public func array(_ row: Int, _ column: Int, of element: PostgresType) throws(PostgresShapeError) -> PostgresArray? {
        guard let type = element.array else { preconditionFailure("no array of \(element) is known") }
        guard let cell = try cell(row, column, of: type) else { return nil }
        return try PostgresArray(of: element, in: bytes, at: cell.offset, count: cell.count)
    }

    private func cell(_ row: Int, _ column: Int) -> Cell {
        precondition(row >= 0 && row < count && column >= 0 && column < columns.count, "no such row or column")
        return cells[row * columns.count + column]
    }

    /// - Parameter count: how many bytes a value of that type has; nil: any number.
    private func cell(
        _ row: Int, _ column: Int, of type: PostgresType, count: Int? = nil
    ) throws(PostgresShapeError) -> Cell? {
        guard row >= 0, row < self.count, column >= 0, column < columns.count else { throw .absent }
        let cell = cell(row, column)
        guard columns[column] == type else { throw .type(expected: type, found: columns[column]) }
        guard cell.count >= 0 else { return nil }
        if let count, cell.count != count { throw .malformed(type) }
        return cell
    }
}
