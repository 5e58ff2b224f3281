internal import Push

/// How far each device has acknowledged, and when it was last seen: pages of cells by ordinal, so that ten thousand
/// acknowledgements dirty thirty of them. Writer only.
final class CursorBook {
    /// 12 bytes a cell: the cursor, and seconds of Unix time. 336 of them fill a page of the file.
    private static let cellsPerPage: UInt32 = 336
    private static let cellSize = 12

    private struct Page {
        var cursors: [UInt64]
        var seen: [UInt32]
    }

    private let database: Database
    private var pages: [UInt32: Page] = [:]
    /// Positions acknowledged beyond the cursor, ascending; never more than a window, most often none. Of devices looked at lately.
    private var beyond: [UInt32: [UInt64]] = [:]
    /// Above this many, `beyond` is forgotten once it is written.
    private static let beyondCapacity = 65_536
    private var dirtyPages: Set<UInt32> = []
    private var dirtyBeyond: Set<UInt32> = []

    init(_ database: Database) { self.database = database }

    func cursor(of ordinal: UInt32) throws(SQLiteError) -> UInt64 {
        let page = ordinal / Self.cellsPerPage
        try load(page)
        return pages[page]?.cursors[Int(ordinal % Self.cellsPerPage)] ?? 0
    }

    /// Unix milliseconds; `nil` if it never connected.
    func lastSeen(of ordinal: UInt32) throws(SQLiteError) -> Int64? {
        let page = ordinal / Self.cellsPerPage
        try load(page)
        let seconds = pages[page]?.seen[Int(ordinal % Self.cellsPerPage)] ?? 0
        return seconds == 0 ? nil : Int64(seconds) * 1_000
    }

    func positionsBeyond(_ ordinal: UInt32) throws(SQLiteError) -> [UInt64] {
        if let known = beyond[ordinal] { return known }
        let query = try database.statement("SELECT positions FROM beyond WHERE ordinal = ?")
        query.bind(1, ordinal)
        guard try query.step() else {
            beyond[ordinal] = []
            return []
        }
        defer { query.reset() }
        let bytes = query.blob(0)
        let positions = stride(from: 0, to: bytes.count - bytes.count % 8, by: 8).map { offset in
            bytes[offset..<offset + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        beyond[ordinal] = positions
        return positions
    }

    /// The device has seen everything up to `floor`, and `position`.
    func settle(_ ordinal: UInt32, _ position: UInt64?, upTo floor: UInt64) throws(SQLiteError) {
        let cursor = max(try self.cursor(of: ordinal), floor)
        try set(ordinal) { $0.cursors[$1] = cursor }
        var ahead = try positionsBeyond(ordinal)
        let had = !ahead.isEmpty
        ahead.removeAll { $0 <= cursor }
        if let position, position > cursor, !ahead.contains(position) {
            ahead.append(position)
            ahead.sort()
        }
        guard had || !ahead.isEmpty else { return }
        beyond[ordinal] = ahead
        dirtyBeyond.insert(ordinal)
    }

    func seen(_ ordinal: UInt32, at milliseconds: Int64) throws(SQLiteError) {
        try set(ordinal) { $0.seen[$1] = UInt32(clamping: milliseconds / 1_000) }
    }

    func flush() throws(SQLiteError) {
        let page = try database.statement("INSERT OR REPLACE INTO cursor(page, cells) VALUES(?, ?)")
        for number in dirtyPages {
            guard let cells = pages[number] else { continue }
            page.bind(1, number)
            page.bind(2, Self.bytes(of: cells))
            try page.run()
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
        dirtyPages.removeAll(keepingCapacity: true)
        dirtyBeyond.removeAll(keepingCapacity: true)
        if beyond.count > Self.beyondCapacity { beyond.removeAll(keepingCapacity: true) }
    }

    func drop() {
        pages.removeAll()
        beyond.removeAll()
        dirtyPages.removeAll()
        dirtyBeyond.removeAll()
    }

    private func set(_ ordinal: UInt32, _ change: (inout Page, Int) -> Void) throws(SQLiteError) {
        let number = ordinal / Self.cellsPerPage
        try load(number)
        guard let index = pages.index(forKey: number) else { return }
        change(&pages.values[index], Int(ordinal % Self.cellsPerPage))
        dirtyPages.insert(number)
    }

    private func load(_ number: UInt32) throws(SQLiteError) {
        guard pages[number] == nil else { return }
        let cells = Int(Self.cellsPerPage)
        var page = Page(cursors: Array(repeating: 0, count: cells), seen: Array(repeating: 0, count: cells))
        let query = try database.statement("SELECT cells FROM cursor WHERE page = ?")
        query.bind(1, number)
        if try query.step() {
            let bytes = query.blob(0)
            query.reset()
            bytes.withUnsafeBytes { raw in
                for cell in 0..<min(cells, raw.count / Self.cellSize) {
                    let offset = cell * Self.cellSize
                    page.cursors[cell] = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                    page.seen[cell] = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: offset + 8, as: UInt32.self))
                }
            }
        }
        pages[number] = page
    }

    private static func bytes(of page: Page) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: page.cursors.count * cellSize) { buffer, count in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            for cell in page.cursors.indices {
                raw.storeBytes(of: page.cursors[cell].littleEndian, toByteOffset: cell * cellSize, as: UInt64.self)
                raw.storeBytes(of: page.seen[cell].littleEndian, toByteOffset: cell * cellSize + 8, as: UInt32.self)
            }
            count = raw.count
        }
    }
}
