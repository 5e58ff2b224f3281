internal import Base
internal import Push
internal import StoreCore

/// `app`: every app that there ever was; those that were removed still have tasks.
final class AppTable {
    private let database: Database

    init(_ database: Database) { self.database = database }

    /// An app with its number, by which rows name it. A class, since each push looks at it and none needs a copy.
    final class Record: Sendable {
        let number: Int64
        let app: App

        init(number: Int64, app: App) {
            self.number = number
            self.app = app
        }
    }

    /// Apps that were not removed.
    func all() throws(SQLiteError) -> [Record] {
        try records(
            try database.statement(
                """
                SELECT app, appkey, name, secret, interfaces, scope, disabled, former_secret, hmac_only, addresses, secret_used,
                  former_secret_used, per_second, per_day FROM app WHERE removed = 0
                """))
    }

    /// Some of them, in the order of their numbers.
    func page(after first: Int64, limit: Int) throws(SQLiteError) -> [Record] {
        let query = try database.statement(
            """
            SELECT app, appkey, name, secret, interfaces, scope, disabled, former_secret, hmac_only, addresses, secret_used,
              former_secret_used, per_second, per_day FROM app WHERE app > ? AND removed = 0 ORDER BY app LIMIT ?
            """)
        query.bind(1, first)
        query.bind(2, limit)
        return try records(query)
    }

    /// One of them.
    func app(_ key: AppKey) throws(SQLiteError) -> App? {
        let query = try database.statement(
            """
            SELECT app, appkey, name, secret, interfaces, scope, disabled, former_secret, hmac_only, addresses, secret_used,
              former_secret_used, per_second, per_day FROM app WHERE appkey = ? AND removed = 0
            """)
        query.bind(1, key.text)
        return try records(query).first?.app
    }

    private func records(_ query: Statement) throws(SQLiteError) -> [Record] {
        var found: [Record] = []
        while try query.step() {
            var app = App(
                key: AppKey(unchecked: query.text(1)), name: query.text(2), masterSecret: query.text(3),
                formerSecret: query.optionalText(7), interfaces: Set(bits: query.int(4)),
                scope: query.optionalText(5).map { OrgID(unchecked: $0) }, disabled: query.int(6) != 0,
                hmacOnly: query.int(8) != 0, addresses: [AddressRange](stored: query.optionalText(9)),
                quota: PushQuota(perSecond: query.optionalInt(12).map(Int.init), perDay: query.optionalInt(13).map(Int.init)))
            app.secretUse = SecretUse(master: query.optionalInt(10), former: query.optionalInt(11))
            found.append(Record(number: query.int(0), app: app))
        }
        return found
    }

    /// The app's number; `nil` if there is no such app now.
    func number(of app: AppKey) throws(SQLiteError) -> Int64? {
        let query = try database.statement("SELECT app FROM app WHERE appkey = ? AND removed = 0")
        query.bind(1, app.text)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.int(0)
    }

    /// Every number that the key ever had: what was removed, or made anew, still has tasks.
    func numbers(everOf app: AppKey) throws(SQLiteError) -> Set<Int64> {
        let query = try database.statement("SELECT app FROM app WHERE appkey = ?")
        query.bind(1, app.text)
        var found: Set<Int64> = []
        while try query.step() { found.insert(query.int(0)) }
        return found
    }

    /// An app's key by its number, also of one that was removed.
    func key(of number: Int64) throws(SQLiteError) -> AppKey? {
        let query = try database.statement("SELECT appkey FROM app WHERE app = ?")
        query.bind(1, number)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return AppKey(unchecked: query.text(0))
    }

    /// A number that no app ever had.
    func newNumber() throws(SQLiteError) -> Int64 { (try database.number("SELECT max(app) FROM app") ?? 0) + 1 }

    func write(_ record: Record) throws(SQLiteError) {
        let write = try database.statement(
            """
            INSERT OR REPLACE INTO app(app, appkey, name, secret, interfaces, scope, disabled, former_secret, hmac_only,
              addresses, secret_used, former_secret_used, per_second, per_day, removed)
            VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
            """)
        write.bind(1, record.number)
        write.bind(2, record.app.key.text)
        write.bind(3, record.app.name)
        write.bind(4, record.app.masterSecret)
        write.bind(5, record.app.interfaces.bits)
        write.bind(6, record.app.scope?.text)
        write.bind(7, record.app.disabled ? 1 : 0)
        write.bind(8, record.app.formerSecret)
        write.bind(9, record.app.hmacOnly ? 1 : 0)
        write.bind(10, record.app.addresses.stored)
        write.bind(11, record.app.secretUse.master)
        write.bind(12, record.app.secretUse.former)
        write.bind(13, record.app.quota.perSecond.map(Int64.init))
        write.bind(14, record.app.quota.perDay.map(Int64.init))
        try write.run()
    }

    func remove(_ number: Int64) throws(SQLiteError) {
        let remove = try database.statement("UPDATE app SET removed = 1 WHERE app = ?")
        remove.bind(1, number)
        try remove.run()
    }
}
