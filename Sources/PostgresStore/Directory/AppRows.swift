internal import Base
internal import Postgres
internal import Push
internal import StoreCore

/// Apps as the database has them: a row each (`apps_1`), or the arrays of a snapshot.
struct AppRows {
    private let rows: PostgresRows
    /// Of a snapshot: the column of the first array.
    private let arrays: Int?

    /// Rows of `apps_1`.
    init(_ rows: PostgresRows) { (self.rows, arrays) = (rows, nil) }

    /// The arrays of a snapshot, which are columns in the same order.
    init(arrays rows: PostgresRows, from column: Int) { (self.rows, arrays) = (rows, column) }

    func records() throws(PostgresShapeError) -> [DirectoryState.AppRecord] {
        guard let first = arrays else {
            var found: [DirectoryState.AppRecord] = []
            for row in 0..<rows.count { found.append(try record(row)) }
            return found
        }
        return try records(inArraysFrom: first)
    }

    private func record(_ row: Int) throws(PostgresShapeError) -> DirectoryState.AppRecord {
        let app = Self.app(
            key: try rows.name(row, 1), name: try rows.name(row, 2), secret: try rows.name(row, 3), former: try rows.name(row, 4),
            used: try rows.int8(row, 5), formerUsed: try rows.int8(row, 6), interfaces: try rows.present4(row, 7),
            scope: try rows.name(row, 8), disabled: try rows.bool(row, 9), hmac: try rows.bool(row, 10),
            addresses: try rows.name(row, 11), perSecond: try rows.int4(row, 12), perDay: try rows.int4(row, 13))
        return .init(number: try rows.present4(row, 0), app: app, isRemoved: try rows.bool(row, 14) ?? false)
    }

    private func records(inArraysFrom first: Int) throws(PostgresShapeError) -> [DirectoryState.AppRecord] {
        guard var numbers = try rows.array(0, first, of: .int4) else { return [] }
        var texts: [PostgresArray] = []
        for column in [1, 2, 3, 4, 8, 11] {
            guard let array = try rows.array(0, first + column, of: .bytea) else { throw .null }
            texts.append(array)
        }
        guard var used = try rows.array(0, first + 5, of: .int8), var formerUsed = try rows.array(0, first + 6, of: .int8),
            var interfaces = try rows.array(0, first + 7, of: .int4), var disabled = try rows.array(0, first + 9, of: .bool),
            var hmac = try rows.array(0, first + 10, of: .bool), var perSecond = try rows.array(0, first + 12, of: .int4),
            var perDay = try rows.array(0, first + 13, of: .int4)
        else { throw .null }
        var found: [DirectoryState.AppRecord] = []
        for _ in 0..<numbers.count {
            var text: [String?] = []
            for index in texts.indices { text.append(try texts[index].bytea().map { String(decoding: $0, as: UTF8.self) }) }
            guard let number = try numbers.int4(), let bits = try interfaces.int4() else { throw .null }
            let app = Self.app(
                key: text[0], name: text[1], secret: text[2], former: text[3], used: try used.int8(),
                formerUsed: try formerUsed.int8(), interfaces: bits, scope: text[4], disabled: try disabled.bool(),
                hmac: try hmac.bool(), addresses: text[5], perSecond: try perSecond.int4(), perDay: try perDay.int4())
            found.append(.init(number: number, app: app, isRemoved: false))
        }
        return found
    }

    private static func app(
        key: String?, name: String?, secret: String?, former: String?, used: Int64?, formerUsed: Int64?, interfaces: Int32,
        scope: String?, disabled: Bool?, hmac: Bool?, addresses: String?, perSecond: Int32?, perDay: Int32?
    ) -> App {
        var app = App(
            key: AppKey(unchecked: key ?? ""), name: name ?? "", masterSecret: secret ?? "", formerSecret: former,
            interfaces: Set(bits: Int64(interfaces)), scope: scope.map { OrgID(unchecked: $0) }, disabled: disabled ?? true,
            hmacOnly: hmac ?? true, addresses: [AddressRange](stored: addresses),
            quota: PushQuota(perSecond: perSecond.map(Int.init), perDay: perDay.map(Int.init)))
        app.secretUse = SecretUse(master: used, former: formerUsed)
        return app
    }
}
