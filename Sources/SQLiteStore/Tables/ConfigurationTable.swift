internal import Base
internal import Push
internal import StoreCore

/// `current_config`: the current configurations, one for each app, target, tag and mode. Targets stand by name: a device's
/// configuration is for whoever holds its token.
final class ConfigurationTable {
    private let database: Database

    init(_ database: Database) { self.database = database }

    /// A target by its name.
    struct Target: Hashable {
        let kind: TargetKey.Kind
        let name: String
    }

    /// What there is one current configuration of.
    struct Slot {
        let target: Target
        let app: Int64
        let tag: ExactText?
        let testOnly: Bool
    }

    func position(in slot: Slot) throws(SQLiteError) -> UInt64? {
        let query = try database.statement(
            "SELECT seq FROM current_config WHERE kind = ? AND target = ? AND app = ? AND tag = ? AND test = ?")
        bind(slot, to: query)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.position(0)
    }

    /// - Parameter scope: the organisation outside which nobody receives it.
    func write(_ seq: UInt64, in slot: Slot, scope: UInt32?) throws(SQLiteError) {
        let replace = try database.statement(
            "INSERT OR REPLACE INTO current_config(kind, target, app, tag, test, seq, within) VALUES(?, ?, ?, ?, ?, ?, ?)")
        bind(slot, to: replace)
        replace.bind(6, seq)
        replace.bind(7, scope.map(Int64.init))
        try replace.run()
    }

    private func bind(_ slot: Slot, to statement: Statement) {
        statement.bind(1, slot.target.kind.rawValue)
        statement.bind(2, slot.target.name)
        statement.bind(3, slot.app)
        statement.bind(4, slot.tag?.text ?? "")
        statement.bind(5, slot.testOnly ? 1 : 0)
    }

    /// The current configurations of a target after and before a position, oldest first.
    func entries(of target: Target, after: UInt64, before: UInt64, limit: Int) throws(SQLiteError) -> [CurrentConfiguration] {
        let query = try database.statement(
            """
            SELECT seq, kind, target, test, within FROM current_config WHERE kind = ? AND target = ? AND seq > ? AND seq < ?
            ORDER BY seq LIMIT ?
            """)
        query.bind(1, target.kind.rawValue)
        query.bind(2, target.name)
        query.bind(3, after)
        query.bind(4, before)
        query.bind(5, limit)
        return try entries(query)
    }

    /// Those of apps whose scope is that organisation, after and before a position, oldest first.
    func entries(withScope org: UInt32, after: UInt64, before: UInt64, limit: Int) throws(SQLiteError) -> [CurrentConfiguration] {
        let query = try database.statement(
            """
            SELECT seq, kind, target, test, within FROM current_config WHERE within = ? AND seq > ? AND seq < ?
            ORDER BY seq LIMIT ?
            """)
        query.bind(1, org)
        query.bind(2, after)
        query.bind(3, before)
        query.bind(4, limit)
        return try entries(query)
    }

    private func entries(_ query: Statement) throws(SQLiteError) -> [CurrentConfiguration] {
        var found: [CurrentConfiguration] = []
        while try query.step() {
            guard let kind = TargetKey.Kind(rawValue: query.int(1)) else { continue }
            found.append(
                CurrentConfiguration(
                    seq: query.position(0), kind: kind, name: query.text(2), testOnly: query.int(3) != 0,
                    within: query.optionalInt(4).map { UInt32(truncatingIfNeeded: $0) }))
        }
        return found
    }

    func remove(_ seq: UInt64) throws(SQLiteError) {
        let delete = try database.statement("DELETE FROM current_config WHERE seq = ?")
        delete.bind(1, seq)
        try delete.run()
    }
}
