/// `cursor` and `beyond`: how far devices have acknowledged, in pages of cells by ordinal, and what they acknowledged beyond
/// that.
final class CursorTable {
    private let database: Database

    init(_ database: Database) { self.database = database }

    /// A page with the cells that the file has of it, and what is acknowledged beyond their cursors.
    func page(_ number: UInt32) throws(SQLiteError) -> (page: CursorPage, beyond: [UInt32: [UInt64]]) {
        let page = CursorPage(number: number)
        let query = try database.statement("SELECT cells FROM cursor WHERE page = ?")
        query.bind(1, number)
        if try query.step() {
            page.read(query.blob(0))
            query.reset()
        }
        var beyond: [UInt32: [UInt64]] = [:]
        let ahead = try database.statement("SELECT ordinal, positions FROM beyond WHERE ordinal >= ? AND ordinal < ?")
        ahead.bind(1, Int(number) * Int(CursorPage.cells))
        ahead.bind(2, (Int(number) + 1) * Int(CursorPage.cells))
        while try ahead.step() {
            let ordinal = ahead.short(0)
            beyond[ordinal] = Self.positions(ahead.blob(1))
            page[ordinal].hasBeyond = true
        }
        return (page, beyond)
    }

    func write(_ page: CursorPage) throws(SQLiteError) {
        let write = try database.statement("INSERT OR REPLACE INTO cursor(page, cells) VALUES(?, ?)")
        write.bind(1, page.number)
        write.bind(2, page.serialized)
        try write.run()
    }

    /// Writes what a device acknowledged beyond its cursor; nothing takes no row.
    func write(beyond positions: [UInt64], of ordinal: UInt32) throws(SQLiteError) {
        guard !positions.isEmpty else {
            let erase = try database.statement("DELETE FROM beyond WHERE ordinal = ?")
            erase.bind(1, ordinal)
            return try erase.run()
        }
        let write = try database.statement("INSERT OR REPLACE INTO beyond(ordinal, positions) VALUES(?, ?)")
        write.bind(1, ordinal)
        write.bind(2, Self.bytes(positions))
        try write.run()
    }

    // Eight bytes a position, the highest first.

    private static func bytes(_ positions: [UInt64]) -> [UInt8] {
        positions.flatMap { position in (0..<8).map { UInt8(truncatingIfNeeded: position >> (56 - 8 * $0)) } }
    }

    private static func positions(_ bytes: [UInt8]) -> [UInt64] {
        stride(from: 0, to: bytes.count - bytes.count % 8, by: 8).map { offset in
            bytes[offset..<offset + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
    }
}
