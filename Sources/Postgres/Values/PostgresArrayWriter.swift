/// Appends the elements of an array argument (`array_recv` in PostgreSQL's sources): number of dimensions, whether there are
/// nulls, the elements' type, their count, the first one's index; then each element's length and bytes.
public struct PostgresArrayWriter {
    private static let headerBytes = 20

    private let element: PostgresType
    private var bytes: [UInt8]
    private let start: Int
    private var hasNulls = false
    /// How many elements there are.
    public private(set) var count = 0

    init(of element: PostgresType, after bytes: consuming [UInt8]) {
        self.element = element
        start = bytes.count
        self.bytes = bytes
        self.bytes.append(bigEndian: 1 as Int32)
        self.bytes.append(bigEndian: 0 as Int32)
        self.bytes.append(bigEndian: element.oid)
        self.bytes.append(bigEndian: 0 as Int32)
        self.bytes.append(bigEndian: 1 as Int32)
    }

    /// A null.
    public mutating func appendNull() {
        hasNulls = true
        count += 1
        bytes.append(bigEndian: -1 as Int32)
    }

    /// An element of an `integer[]`.
    public mutating func append(int4 value: Int32) {
        begin(.int4, count: 4)
        bytes.append(bigEndian: value)
    }

    /// An element of a `bigint[]`.
    public mutating func append(int8 value: Int64) {
        begin(.int8, count: 8)
        bytes.append(bigEndian: value)
    }

    /// An element of a `boolean[]`.
    public mutating func append(bool value: Bool) {
        begin(.bool, count: 1)
        bytes.append(value ? 1 : 0)
    }

    /// An element of a `text[]`.
    public mutating func append(text value: String) {
        begin(.text, count: value.utf8.count)
        bytes.append(contentsOf: value.utf8)
    }

    /// An element of a `bytea[]`.
    public mutating func append(bytea value: [UInt8]) {
        begin(.bytea, count: value.count)
        bytes.append(contentsOf: value)
    }

    /// An element of a `bytea[]`.
    public mutating func append(bytea value: RawSpan) {
        begin(.bytea, count: value.byteCount)
        value.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    private mutating func begin(_ type: PostgresType, count: Int) {
        precondition(type == element, "\(type) in an array of \(element)")
        self.count += 1
        bytes.append(bigEndian: Int32(count))
    }

    consuming func finish() -> [UInt8] {
        if count == 0 {
            // An empty array has no dimension.
            bytes.overwrite(at: start, withBigEndian: 0)
            bytes.removeLast(Self.headerBytes - 12)
        } else {
            bytes.overwrite(at: start + 4, withBigEndian: hasNulls ? 1 : 0)
            bytes.overwrite(at: start + 12, withBigEndian: Int32(count))
        }
        return bytes
    }
}
