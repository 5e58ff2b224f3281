internal import Base
internal import Crypto
internal import StoreCore

/// Makes a store new from its newest position on, where it may be a copy.
///
/// What callers and devices were told by the store that went on without the copy stays true: tasks from now on have another
/// number in their ids, so that none of them is taken for one that the copy lacks, and configurations have versions that no
/// device can have. Operators log in anew. Tasks that are in the copy keep their ids; whoever has received them drops them as
/// repeats.
enum Renewal {
    /// The version after which configurations are counted on: one that no store can have given that went on from the same copy
    /// before. It stays below 2^53.
    private static func version(after newest: Int64) -> Int64 { max(newest + 1 << 32, WallClock.milliseconds << 10) }

    /// The numbers of the store's tasks, after making it new if that is due.
    /// - Parameters:
    ///   - path: of the open file.
    ///   - head: its newest position.
    ///   - log: told why.
    static func numbers(
        of tables: Tables, at path: String, head: UInt64, log: (String) -> Void
    ) throws(SQLiteError) -> TaskNumber {
        let known = try tables.storeNumbers.all()
        if let newest = known.last {
            if PositionMark.agrees(with: path, store: newest.store, head: head) { return TaskNumber(known) }
            log(
                "psp.mark does not show that this psp.db is what went on here last: it is taken for a copy, and its new tasks "
                    + "and configurations are told apart from those that it may lack")
        }
        let stretch = TaskNumber.Stretch(from: known.isEmpty ? 0 : head + 1, store: drawn(butNot: known.map(\.store)))
        try tables.database.begin()
        do throws(SQLiteError) {
            try tables.storeNumbers.insert(stretch)
            if !known.isEmpty {
                let version = try tables.meta.number(.configurationVersion) ?? 0
                try tables.meta.write(.configurationVersion, Self.version(after: version))
                // What was withdrawn after the copy was made would hold again.
                try tables.operators.removeSessions()
            }
            try tables.database.commit()
        } catch {
            try tables.database.rollback()
            throw error
        }
        return TaskNumber(try tables.storeNumbers.all())
    }

    private static func drawn(butNot known: [UInt32]) -> UInt32 {
        while true {
            let number = Random.bytes(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            if !known.contains(number) { return number }
        }
    }
}
