internal import Push

/// A device's own receipts: opened, applied, failed.
extension Ledger {
    func commit(_ receipt: Receipt) throws(SQLiteError) -> ReceiptResult {
        let ordinal = receipt.device.ordinal
        guard let row = try row(of: receipt.task, for: nil), let receipts = try receipts.receipts(at: row.seq) else {
            return .refused
        }
        if try !self.receipts.has(.joined, ordinal, in: receipts), try !wasAddressed(ordinal, by: row) { return .refused }
        // An iOS device that a groupcast left out, or one whose holder changed, was not addressed by it.
        if row.isWithoutIOS, let platform = try platform(of: ordinal), row.audience.leavesOut(platform) { return .refused }
        let insert = try database.statement(
            "INSERT OR IGNORE INTO event(seq, event, ordinal, detail) VALUES(?, ?, ?, ?)")
        insert.bind(1, row.seq)
        insert.bind(2, receipt.event.number)
        insert.bind(3, ordinal)
        insert.bind(4, receipt.detail)
        try insert.run()
        guard database.changes == 1 else { return .known }
        self.receipts.count(receipt.event, in: receipts)
        return .counted
    }

    private func platform(of ordinal: UInt32) throws(SQLiteError) -> Platform? {
        let query = try database.statement("SELECT platform FROM device WHERE ordinal = ?")
        query.bind(1, ordinal)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.int(0) == 0 ? .android : .ios
    }
}

extension ReceiptEvent {
    /// As the file names it.
    var number: Int64 {
        switch self {
        case .opened: 1
        case .applied: 2
        case .failed: 3
        }
    }
}
