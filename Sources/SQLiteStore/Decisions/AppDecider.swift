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
        guard let record = directory.apps[key] else { return try create(key, fields, secretIfNew) }
        try requireScope(of: fields)
        var app = record.app
        if let name = fields.name { app.name = name }
        if let secret = fields.masterSecret { app.masterSecret = secret }
        if let interfaces = fields.interfaces { app.interfaces = interfaces }
        if let disabled = fields.disabled { app.disabled = disabled }
        switch fields.scope {
        case .keep: break
        case .clear: app.scope = nil
        case .set(let scope): app.scope = scope
        }
        try write(AppTable.Record(number: record.number, app: app))
        return .updated
    }

    private func create(_ key: AppKey, _ fields: AppChange, _ secretIfNew: String?) throws -> ChangeResult {
        let (name, interfaces, secret) = try fields.required(secretIfNew: secretIfNew)
        try requireScope(of: fields)
        let scope: OrgID? = if case .set(let scope) = fields.scope { scope } else { nil }
        let app = App(
            key: key, name: name, masterSecret: secret, interfaces: interfaces, scope: scope, disabled: fields.disabled ?? false)
        try write(AppTable.Record(number: try table.newNumber(), app: app))
        return .created(secret: secret)
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

    func remove(_ key: AppKey) throws -> ChangeResult {
        guard let record = directory.apps[key] else { throw Refusal(.noSuchApp, field: "appkey") }
        try table.remove(record.number)
        directory.set(key, nil)
        feed.app(key, nil)
        return .removed
    }
}
