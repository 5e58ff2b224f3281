internal import Base
internal import CSQLite
internal import Glibc

/// A prepared statement. Belongs to its connection's thread; the connection frees it.
final class Statement {
    private let handle: OpaquePointer
    private unowned let database: Database

    init(_ handle: OpaquePointer, of database: Database) {
        self.handle = handle
        self.database = database
    }

    func finalize() { sqlite3_finalize(handle) }

    // Binding: indexes are SQLite's, from 1. An error here is an index or a size of our own making.

    func bind(_ index: Int32, _ value: Int64) { sqlite3_bind_int64(handle, index, value) }
    func bind(_ index: Int32, _ value: UInt64) { sqlite3_bind_int64(handle, index, Int64(bitPattern: value)) }
    func bind(_ index: Int32, _ value: Int) { sqlite3_bind_int64(handle, index, Int64(value)) }
    func bind(_ index: Int32, _ value: UInt32) { sqlite3_bind_int64(handle, index, Int64(value)) }
    func bindNull(_ index: Int32) { sqlite3_bind_null(handle, index) }

    func bind(_ index: Int32, _ value: Int64?) {
        if let value { bind(index, value) } else { bindNull(index) }
    }

    func bind(_ index: Int32, _ value: String?) {
        guard var value else { return bindNull(index) }
        value.withUTF8 { utf8 in
            _ = utf8.withMemoryRebound(to: CChar.self) { psp_bind_text(handle, index, $0.baseAddress, Int32($0.count)) }
        }
    }

    func bind(_ index: Int32, _ value: ExactText?) { bind(index, value?.text) }

    func bind(_ index: Int32, _ value: [UInt8]?) {
        guard let value else { return bindNull(index) }
        value.withUnsafeBytes { _ = psp_bind_blob(handle, index, $0.baseAddress, Int32($0.count)) }
    }

    /// An IPv4 address as a number, an IPv6 one as its 16 bytes.
    func bind(_ index: Int32, _ value: IPAddress?) {
        guard let value else { return bindNull(index) }
        guard value.isIPv6 else { return bind(index, value.low) }
        withUnsafeBytes(of: (value.high.bigEndian, value.low.bigEndian)) { bytes in
            _ = psp_bind_blob(handle, index, bytes.baseAddress, Int32(bytes.count))
        }
    }

    /// Moves to the next row; `false` at the end, when the statement is reset by itself.
    func step() throws(SQLiteError) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE {
            sqlite3_reset(handle)
            return false
        }
        let error = database.lastError()
        sqlite3_reset(handle)
        throw error
    }

    /// Runs a statement that yields no rows, or whose rows do not matter.
    func run() throws(SQLiteError) {
        while try step() {}
    }

    /// The same with a blob and a text that SQLite reads where they are, instead of copying them first. Empty ones are NULL.
    func run(lending blob: [UInt8], as blobIndex: Int32, _ text: String?, as textIndex: Int32) throws(SQLiteError) {
        var text = text ?? ""
        var failure: SQLiteError?
        blob.withUnsafeBytes { blob in
            text.withUTF8 { text in
                // No destructor: the memory is there until they are unbound.
                sqlite3_bind_blob(handle, blobIndex, blob.isEmpty ? nil : blob.baseAddress, Int32(blob.count), nil)
                text.withMemoryRebound(to: CChar.self) { text in
                    _ = sqlite3_bind_text(handle, textIndex, text.isEmpty ? nil : text.baseAddress, Int32(text.count), nil)
                }
                do throws(SQLiteError) { try run() } catch { failure = error }
                bindNull(blobIndex)
                bindNull(textIndex)
            }
        }
        if let failure { throw failure }
    }

    /// Ends the reading before the last row.
    func reset() { sqlite3_reset(handle) }

    // Columns, from 0.

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }
    func int(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    func position(_ column: Int32) -> UInt64 { UInt64(bitPattern: sqlite3_column_int64(handle, column)) }
    /// A number that fits: an ordinal, an organisation.
    func short(_ column: Int32) -> UInt32 { UInt32(truncatingIfNeeded: int(column)) }
    func optionalInt(_ column: Int32) -> Int64? { isNull(column) ? nil : int(column) }

    func text(_ column: Int32) -> String {
        guard let bytes = sqlite3_column_text(handle, column) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    /// Whether a column is this text, without making a string of it.
    func isText(_ column: Int32, _ other: String) -> Bool {
        guard let bytes = sqlite3_column_text(handle, column) else { return other.isEmpty }
        let count = Int(sqlite3_column_bytes(handle, column))
        var other = other
        return other.withUTF8 { $0.count == count && ($0.baseAddress.map { memcmp($0, bytes, count) == 0 } ?? true) }
    }

    func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }
    func optionalExactText(_ column: Int32) -> ExactText? { isNull(column) ? nil : ExactText(text(column)) }

    func blob(_ column: Int32) -> [UInt8] {
        let count = Int(sqlite3_column_bytes(handle, column))
        guard count > 0, let bytes = sqlite3_column_blob(handle, column) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
    }

    /// What ``bind(_:_:)`` has made of an address; `nil` for anything else.
    func address(_ column: Int32) -> IPAddress? {
        switch sqlite3_column_type(handle, column) {
        case SQLITE_INTEGER: return UInt32(exactly: int(column)).map { IPAddress(v4: $0) }
        case SQLITE_BLOB:
            let bytes = blob(column)
            guard bytes.count == 16 else { return nil }
            return bytes.withUnsafeBytes { bytes in
                IPAddress(
                    high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                    low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
            }
        default: return nil
        }
    }
}
