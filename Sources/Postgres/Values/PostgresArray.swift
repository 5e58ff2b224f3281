/// An array of a result, read from its first element to its last, without a copy of it and without an allocation an element.
///
/// ```swift
/// guard var keys = try rows.array(0, 1, of: .bytea) else { return }
/// for _ in 0..<keys.count {
///     try keys.withBytes { key in … }      // nil: null
/// }
/// ```
public struct PostgresArray: Sendable {
    private let element: PostgresType
    private let bytes: [UInt8]
    private let end: Int
    private var offset: Int
    /// How many elements it has.
    public let count: Int

    init(of element: PostgresType, in bytes: [UInt8], at start: Int, count byteCount: Int) throws(PostgresShapeError) {
        self.element = element
        self.bytes = bytes
        end = start + byteCount
        guard byteCount >= 12 else { throw .malformed(element.array ?? element) }
        let dimensions = bytes.bigEndian(at: start, as: Int32.self)
        let found = PostgresType(oid: bytes.bigEndian(at: start + 8, as: UInt32.self))
        guard found == element else { throw .type(expected: element, found: found) }
        if dimensions == 0 {
            count = 0
            offset = end
            return
        }
        guard dimensions == 1, byteCount >= 20 else { throw .malformed(element.array ?? element) }
        let count = Int(bytes.bigEndian(at: start + 12, as: Int32.self))
        // Each element has at least its length.
        guard count >= 0, count <= (byteCount - 20) / 4 else { throw .malformed(element.array ?? element) }
        self.count = count
        offset = start + 20
    }

    /// The next element of an `integer[]`; nil: null.
    public mutating func int4() throws(PostgresShapeError) -> Int32? {
        try next(.int4, count: 4).map { bytes.bigEndian(at: $0.lowerBound, as: Int32.self) }
    }

    /// The next element of a `bigint[]`; nil: null.
    public mutating func int8() throws(PostgresShapeError) -> Int64? {
        try next(.int8, count: 8).map { bytes.bigEndian(at: $0.lowerBound, as: Int64.self) }
    }

    /// The next element of a `boolean[]`; nil: null.
    public mutating func bool() throws(PostgresShapeError) -> Bool? {
        try next(.bool, count: 1).map { bytes[$0.lowerBound] != 0 }
    }

    /// The next element of a `text[]`; nil: null.
    public mutating func text() throws(PostgresShapeError) -> String? {
        try next(.text).map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    /// The next element of a `bytea[]`; nil: null.
    public mutating func bytea() throws(PostgresShapeError) -> [UInt8]? {
        try next(.bytea).map { Array(bytes[$0]) }
    }

    /// The bytes of the next element in place, whatever its type; nil: null.
    public mutating func withBytes<R>(_ body: (RawSpan?) -> R) throws(PostgresShapeError) -> R {
        guard let range = try next(element) else { return body(nil) }
        return body(bytes.span.bytes.extracting(range))
    }

    /// All that is left of an `integer[]` without nulls.
    public consuming func int4s() throws(PostgresShapeError) -> [Int32] {
        var values: [Int32] = []
        values.reserveCapacity(count)
        while offset < end { values.append(try present(int4())) }
        return values
    }

    /// All that is left of a `bigint[]` without nulls.
    public consuming func int8s() throws(PostgresShapeError) -> [Int64] {
        var values: [Int64] = []
        values.reserveCapacity(count)
        while offset < end { values.append(try present(int8())) }
        return values
    }

    private func present<Value>(_ value: Value?) throws(PostgresShapeError) -> Value {
        guard let value else { throw .null }
        return value
    }

    private mutating func next(_ type: PostgresType, count: Int? = nil) throws(PostgresShapeError) -> Range<Int>? {
        guard type == element else { throw .type(expected: type, found: element) }
        guard offset < end else { throw .end }
        guard offset + 4 <= end else { throw .malformed(element) }
        let length = Int(bytes.bigEndian(at: offset, as: Int32.self))
        offset += 4
        guard length >= 0 else { return nil }
        guard length <= end - offset, count == nil || count == length else { throw .malformed(element) }
        defer { offset += length }
        return offset..<offset + length
    }
}
