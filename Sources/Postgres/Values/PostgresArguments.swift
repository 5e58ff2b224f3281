/// The arguments of a call, in order, as PostgreSQL's binary formats have them: one buffer for all, so that an argument or an
/// element of an array costs no allocation.
///
/// ```swift
/// var arguments = PostgresArguments()
/// arguments.append(int8: 17)
/// arguments.append(text: nil)
/// arguments.appendArray(of: .bytea) { keys in
///     for row in rows { keys.append(bytea: row.key.span.bytes) }
/// }
/// ```
public struct PostgresArguments: Sendable {
    struct Field: Sendable {
        let type: PostgresType
        let offset: Int
        /// -1: it is null.
        let count: Int
    }

    var bytes: [UInt8] = []
    var fields: [Field] = []

    /// None yet.
    /// - Parameter bytes: how much is about to be appended, in bytes, where that is known.
    public init(reserving bytes: Int = 0) {
        if bytes > 0 { self.bytes.reserveCapacity(bytes) }
    }

    /// Makes room for so many bytes more.
    public mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

    /// How many there are.
    public var count: Int { fields.count }

    /// An `integer`, or null.
    public mutating func append(int4 value: Int32?) { append(.int4, value) { $0.append(bigEndian: $1) } }

    /// A `bigint`, or null.
    public mutating func append(int8 value: Int64?) { append(.int8, value) { $0.append(bigEndian: $1) } }

    /// A `boolean`, or null.
    public mutating func append(bool value: Bool?) { append(.bool, value) { $0.append($1 ? 1 : 0) } }

    /// A `text`, or null. The server refuses U+0000 in it (22021): what others chose is a `bytea`.
    public mutating func append(text value: String?) { append(.text, value) { $0.append(contentsOf: $1.utf8) } }

    /// A `bytea`, or null.
    public mutating func append(bytea value: [UInt8]?) { append(.bytea, value) { $0.append(contentsOf: $1) } }

    /// A `bytea`.
    public mutating func append(bytea value: RawSpan) {
        let offset = bytes.count
        value.withUnsafeBytes { bytes.append(contentsOf: $0) }
        finish(.bytea, from: offset)
    }

    /// An `integer[]`.
    public mutating func append(int4Array values: [Int32]) {
        appendArray(of: .int4) { array in
            for value in values { array.append(int4: value) }
        }
    }

    /// A `bigint[]`.
    public mutating func append(int8Array values: [Int64]) {
        appendArray(of: .int8) { array in
            for value in values { array.append(int8: value) }
        }
    }

    /// A `boolean[]`.
    public mutating func append(boolArray values: [Bool]) {
        appendArray(of: .bool) { array in
            for value in values { array.append(bool: value) }
        }
    }

    /// A `text[]`.
    public mutating func append(textArray values: [String]) {
        appendArray(of: .text) { array in
            for value in values { array.append(text: value) }
        }
    }

    /// A `bytea[]`.
    public mutating func append(byteaArray values: [[UInt8]]) {
        appendArray(of: .bytea) { array in
            for value in values { array.append(bytea: value) }
        }
    }

    /// An array, element by element, nulls among them.
    /// - Parameters:
    ///   - element: `bool`, `bytea`, `int4`, `int8` or `text`.
    ///   - body: appends the elements, each of that type or null.
    public mutating func appendArray(of element: PostgresType, _ body: (inout PostgresArrayWriter) -> Void) {
        guard let type = element.array else { preconditionFailure("no array of \(element) is known") }
        let offset = bytes.count
        // Moved there and back, so that it is never copied.
        var writer = PostgresArrayWriter(of: element, after: bytes)
        bytes = []
        body(&writer)
        bytes = writer.finish()
        finish(type, from: offset)
    }

    /// The types, in order: a statement is prepared for these.
    var types: [PostgresType] { fields.map(\.type) }

    private mutating func append<Value>(_ type: PostgresType, _ value: Value?, _ write: (inout [UInt8], Value) -> Void) {
        guard let value else { return fields.append(Field(type: type, offset: bytes.count, count: -1)) }
        let offset = bytes.count
        write(&bytes, value)
        finish(type, from: offset)
    }

    private mutating func finish(_ type: PostgresType, from offset: Int) {
        fields.append(Field(type: type, offset: offset, count: bytes.count - offset))
    }
}
