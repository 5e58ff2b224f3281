/// How far each device has acknowledged, and when it was last seen: pages of cells by ordinal, so that ten thousand
/// acknowledgements dirty thirty of them. Writer only.
final class CursorBook {
    private let table: CursorTable
    private let faults: Faults
    /// By number; `nil` until it is looked at. Ordinals are dense, so that this is an array and finding a page an addition.
    private var pages: [CursorPage?] = []
    /// Positions acknowledged beyond the cursor, ascending; never more than a window. Most devices have none, and no entry.
    private var beyond: [UInt32: [UInt64]] = [:]
    private var dirtyPages: [CursorPage] = []
    private var dirtyBeyond: Set<UInt32> = []
    /// What of them was written in this transaction: the last pages, and these devices.
    private var writtenPages = 0
    private var writtenBeyond: Set<UInt32> = []

    init(_ table: CursorTable, _ faults: Faults) {
        self.table = table
        self.faults = faults
    }

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

    // MARK: Writing

    /// What is to be written, in steps: a page, or what one device has acknowledged beyond its cursor.
    var steps: Int { dirtyPages.count + dirtyBeyond.count }

    /// Writes what has changed, or of it so many steps. Inside a transaction.
    /// - Returns: how many they were.
    func write(atMost limit: Int) throws(SQLiteError) -> Int {
        let pages = dirtyPages.suffix(limit)
        for page in pages { try unlessAtFault { () throws(SQLiteError) in try table.write(page) } }
        writtenPages = pages.count
        writtenBeyond = limit - pages.count >= dirtyBeyond.count ? dirtyBeyond : Set(dirtyBeyond.prefix(limit - pages.count))
        for ordinal in writtenBeyond {
            try unlessAtFault { () throws(SQLiteError) in try table.write(beyond: beyond[ordinal] ?? [], of: ordinal) }
        }
        return writtenPages + writtenBeyond.count
    }

    /// What is given up passes for written: its devices get again what they have acknowledged.
    private func unlessAtFault(_ write: () throws(SQLiteError) -> Void) throws(SQLiteError) {
        _ = try faults.spare("how far devices are is not written", write)
    }

    /// What was written is committed.
    func committed() {
        for page in dirtyPages.suffix(writtenPages) { page.isDirty = false }
        dirtyPages.removeLast(writtenPages)
        let isAll = writtenBeyond.count == dirtyBeyond.count
        if !isAll { dirtyBeyond.subtract(writtenBeyond) }
        (writtenPages, writtenBeyond) = (0, [])
        // After it is no longer shared: it keeps its memory.
        if isAll { dirtyBeyond.removeAll(keepingCapacity: true) }
    }

    /// Forgets everything that is not in the file.
    func discard() {
        pages.removeAll()
        beyond.removeAll()
        dirtyPages.removeAll()
        dirtyBeyond.removeAll()
        (writtenPages, writtenBeyond) = (0, [])
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
        let (page, ahead) = try table.page(UInt32(number))
        beyond.merge(ahead) { _, read in read }
        if pages.count <= number { pages.append(contentsOf: Array(repeating: nil, count: number + 1 - pages.count)) }
        pages[number] = page
        return page
    }
}
