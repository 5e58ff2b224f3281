internal import Push
internal import StoreCore

/// What devices tell of tasks themselves: opened, applied, failed.
final class EventDecider {
    private let tables: Tables
    private let receipts: ReceiptBook
    private let tasks: TaskDecider
    private let faults: Faults

    init(_ tables: Tables, _ receipts: ReceiptBook, _ tasks: TaskDecider, _ faults: Faults) {
        self.tables = tables
        self.receipts = receipts
        self.tasks = tasks
        self.faults = faults
    }

    /// Receipts come many together, of many devices: one that is at fault is refused, and keeps nobody else's from being counted.
    func commit(_ receipt: Receipt) throws(SQLiteError) -> ReceiptResult {
        do throws(SQLiteError) {
            return try decide(receipt)
        } catch  where error.effect == .fault {
            faults.tell("a device's receipt was refused", error)
            return .refused
        }
    }

    /// The last thing that may fail is the only one that changes anything.
    private func decide(_ receipt: Receipt) throws(SQLiteError) -> ReceiptResult {
        let ordinal = receipt.device.ordinal
        guard let row = try tasks.row(of: receipt.task, for: nil), let counters = try receipts.receipts(at: row.seq) else {
            return .refused
        }
        if try !receipts.has(.joined, ordinal, in: counters), try !tables.wasAddressed(ordinal, by: row) { return .refused }
        // A groupcast may have left out an iOS device, for which it was too large: counted, but not addressed.
        if row.isWithoutIOS, let platform = try tables.devices.platform(of: ordinal), row.audience.leavesOut(platform) {
            return .refused
        }
        guard try tables.events.insert(receipt.event.number, of: row.seq, by: ordinal, detail: receipt.detail) else {
            return .known
        }
        receipts.count(receipt.event, in: counters)
        return .counted
    }
}
