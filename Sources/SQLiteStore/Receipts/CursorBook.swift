internal import Push

/// How far each device has acknowledged, and when it was last seen: pages of cells by ordinal, so that ten thousand
/// acknowledgements dirty thirty of them. Writer only.
final class CursorBook {
    private let database: Database
    /// By number; `nil` until it is looked at. Ordinals are dense, so that this is an array and finding a page an addition.
    private var pages: [CursorPage?] = []
    /// Positions acknowledged beyond the cursor, ascending; never more than a window. Most devices have none, and no entry.
    private var beyond: [UInt32: [UInt64]] = [:]
    private var dirtyPages: [CursorPage] = []
    private var dirtyBeyond: Set<UInt32> = []

    init(_ database: Database) { self.database = database }

    func cursor(of ordinal: UInt32) throws(SQLiteError) -> UInt64 { try page(of: ordinal)[ordinal].cursor }

    /// Unix milliseconds; `nil` if it never connected.
    func lastSeen(of ordinal: UInt32) throws(SQLiteError) -> Int64? {
        let seconds = try page(of: ordinal)[ordinal].seen
        return seconds == 0 ? nil : Int64(seconds) * 1_000
    }

    func positionsBeyond(_ ordinal: UInt32) throws(SQLiteError) -> [UInt64] {
        guard try page(of: ordinal)[ordinal].hasBeyond else { return [] }
        return beyond[ordinal] ?? []
    }

    /// The device has seen everything up to `floor`, and `position`.
    func settle(_ ordinal: UInt32, _ position: UInt64?, upTo floor: UInt64) throws(SQLiteError) {
        let page = try page(of: ordinal)
        touch(page)
        let cursor = max(page[ordinal].cursor, floor)
        page[ordinal].cursor = cursor
        // In order, as nearly always: nothing lies beyond the cursor.
        let hadBeyond = page[ordinal].hasBeyond
        guard hadBeyond || position ?? 0 > cursor else { return }

        var ahead = beyond[ordinal] ?? []
        ahead.removeAll { $0 <= cursor }
        if let position, position > cursor, !ahead.contains(position) {
            ahead.append(position)
            ahead.sort()
        }
        page[ordinal].hasBeyond = !ahead.isEmpty
        beyond[ordinal] = ahead.isEmpty ? nil : ahead
        dirtyBeyond.insert(ordinal)
    }

    func seen(_ ordinal: UInt32, at milliseconds: Int64) throws(SQLiteError) {
        let page = try page(of: ordinal)
        touch(page)
        page[ordinal].seen = UInt32(clamping: milliseconds / 1_000)
    }

    func flush() throws(SQLiteError) {
        let cells = try database.statement("INSERT OR REPLACE INTO cursor(page, cells) VALUES(?, ?)")
        for page in dirtyPages {
            cells.bind(1, page.number)
            cells.bind(2, page.serialized)
            try cells.run()
        }
        let write = try database.statement("INSERT OR REPLACE INTO beyond(ordinal, positions) VALUES(?, ?)")
        let erase = try database.statement("DELETE FROM beyond WHERE ordinal = ?")
        for ordinal in dirtyBeyond {
            let positions = beyond[ordinal] ?? []
            let statement = positions.isEmpty ? erase : write
            statement.bind(1, ordinal)
            if !positions.isEmpty {
                statement.bind(
                    2, positions.flatMap { position in (0..<8).map { UInt8(truncatingIfNeeded: position >> (56 - 8 * $0)) } })
            }
            try statement.run()
        }
    }

    func flushed() {
        for page in dirtyPages { page.isDirty = false }
        dirtyPages.removeAll(keepingCapacity: true)
        dirtyBeyond.removeAll(keepingCapacity: true)
    }

    func drop() {
        pages.removeAll()
        beyond.removeAll()
        dirtyPages.removeAll()
        dirtyBeyond.removeAll()
    }

    private func touch(_ page: CursorPage) {
        guard !page.isDirty else { return }
        page.isDirty = true
        dirtyPages.append(page)
    }

    private func page(of ordinal: UInt32) throws(SQLiteError) -> CursorPage {
        let number = Int(ordinal / CursorPage.cells)
        if number < pages.count, let known = pages[number] { return known }
        return try load(number)
    }

    private func load(_ number: Int) throws(SQLiteError) -> CursorPage {
        let page = CursorPage(number: UInt32(number))
        let query = try database.statement("SELECT cells FROM cursor WHERE page = ?")
        query.bind(1, number)
        if try query.step() {
            page.read(query.blob(0))
            query.reset()
        }
        let ahead = try database.statement("SELECT ordinal, positions FROM beyond WHERE ordinal >= ? AND ordinal < ?")
        ahead.bind(1, number * Int(CursorPage.cells))
        ahead.bind(2, (number + 1) * Int(CursorPage.cells))
        while try ahead.step() {
            let bytes = ahead.blob(1)
            let ordinal = UInt32(truncatingIfNeeded: ahead.int(0))
            beyond[ordinal] = stride(from: 0, to: bytes.count - bytes.count % 8, by: 8).map { offset in
                bytes[offset..<offset + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            }
            page[ordinal].hasBeyond = true
        }
        if pages.count <= number { pages.append(contentsOf: Array(repeating: nil, count: number + 1 - pages.count)) }
        pages[number] = page
        return page
    }
}
