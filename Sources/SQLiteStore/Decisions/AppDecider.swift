internal import Push

/// Changes of apps.
final class AppDecider {
    private let table: AppTable
    private let directory: DirectoryMemory
    private let feed: Feed

    init(_ table: AppTable, _ directory: DirectoryMemory, _ feed: Feed) {
        self.table = table
        self.directory = directory
        self.feed = feed
    }

    func put(_ key: AppKey, _ fields: AppChange, _ secretIfNew: String?) throws -> ChangeResult {
        if let record = directory.apps[key] {
            try requireScope(of: fields)
            var app = record.app
            app.apply(fields)
            try write(AppTable.Record(number: record.number, app: app))
            return .updated
        }
        let app = try App(key, fields, secretIfNew: secretIfNew)
        try requireScope(of: fields)
        try write(AppTable.Record(number: try table.newNumber(), app: app))
        return .created(secret: app.masterSecret)
    }

    private func requireScope(of fields: AppChange) throws(Refusal) {
        if case .set(let scope) = fields.scope, directory.tree[scope] == nil {
            throw Refusal(.noSuchOrganisation, field: "org_id")
        }
    }

    private func write(_ record: AppTable.Record) throws(SQLiteError) {
        try table.write(record)
        directory.set(record.app.key, record)
        feed.app(record.app.key, record.app)
    }

    func rotateSecret(_ key: AppKey, to secret: String, again: Bool) throws -> ChangeResult {
        let record = try record(of: key)
        var app = record.app
        try app.rotateSecret(to: secret, again: again)
        try write(AppTable.Record(number: record.number, app: app))
        return .created(secret: secret)
    }

    func dropFormerSecret(_ key: AppKey) throws -> ChangeResult {
        let record = try record(of: key)
        var app = record.app
        app.dropFormerSecret()
        try write(AppTable.Record(number: record.number, app: app))
        return .removed
    }

    /// Notes the day for operators; loops have told it, and are told nothing.
    func secretUsed(_ secret: String, by key: AppKey, on day: Int64) throws(SQLiteError) {
        guard let record = directory.apps[key] else { return }
        var app = record.app
        guard app.note(use: secret, on: day) else { return }
        let changed = AppTable.Record(number: record.number, app: app)
        try table.write(changed)
        directory.set(key, changed)
    }

    func remove(_ key: AppKey) throws -> ChangeResult {
        try table.remove(try record(of: key).number)
        directory.set(key, nil)
        feed.app(key, nil)
        return .removed
    }

    private func record(of key: AppKey) throws(Refusal) -> AppTable.Record {
        guard let record = directory.apps[key] else { throw Refusal(.noSuchApp, field: "appkey") }
        return record
    }
}
