internal import Postgres
internal import Push
internal import StoreCore

// What operators look up: each is one statement.

extension StoreNode {
    func app(_ key: AppKey) async throws(StoreError) -> App {
        var arguments = PostgresArguments()
        arguments.append(name: key.text)
        let rows = try await read(Statements.app, arguments)
        let found = try decoded { () throws(PostgresShapeError) in try AppRows(rows).records() }
        guard let record = found.first else { throw .refused(Refusal(.noSuchApp, field: "appkey")) }
        return record.app
    }

    func organisation(_ id: OrgID, within scope: OrgID?) async throws(StoreError) -> Organisation {
        var arguments = argumentsOfNow()
        arguments.append(name: id.text)
        arguments.append(name: scope?.text)
        let rows = try await read(Statements.organisation, arguments)
        guard rows.count == 1 else { throw .refused(Refusal(.noSuchOrganisation, field: "org_id")) }
        return try decoded { () throws(PostgresShapeError) in try Organisation(rows, 0) }
    }

    func device(_ token: DeviceToken, within scope: OrgID?, field: String = "device_token") async throws(StoreError) -> DeviceRow
    {
        var arguments = argumentsOfNow()
        arguments.append(name: token.text)
        arguments.append(int8: StableHash.of(token.text))
        arguments.append(name: scope?.text)
        let rows = try await read(Statements.device, arguments)
        guard rows.count == 1 else { throw .refused(Refusal(.noSuchDevice, field: field)) }
        return try decoded { () throws(PostgresShapeError) in try DeviceRow(rows, 0) }
    }

    func apps(after: PageToken?, limit: Int) async throws(StoreError) -> Page<App> {
        var arguments = PostgresArguments()
        arguments.append(int4: Int32(clamping: try PageToken.number(after)))
        arguments.append(int4: Int32(clamping: limit))
        let rows = try await read(Statements.listApps, arguments)
        let found = try decoded { () throws(PostgresShapeError) in try AppRows(rows).records() }
        let next = found.count < limit ? nil : found.last.map { PageToken(Int64($0.number)) }
        return Page(items: found.map(\.app), next: next)
    }

    func organisations(within scope: OrgID?, after: PageToken?, limit: Int) async throws(StoreError) -> Page<Organisation> {
        var arguments = argumentsOfNow()
        arguments.append(name: scope?.text)
        arguments.append(int4: Int32(clamping: try PageToken.number(after)))
        arguments.append(int4: Int32(clamping: limit))
        let rows = try await read(Statements.listOrganisations, arguments)
        return try page(rows, limit, place: 6) { row throws(PostgresShapeError) in
            (try Organisation(rows, row), Int64(try rows.present4(row, 0)))
        }
    }

    func devices(_ filter: DeviceFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<Device> {
        var arguments = argumentsOfNow()
        arguments.append(name: filter.organisation?.text)
        arguments.append(name: filter.user?.text)
        arguments.append(name: filter.scope?.text)
        arguments.append(bool: filter.online)
        arguments.append(int8: try PageToken.number(after))
        arguments.append(int4: Int32(clamping: limit))
        let rows = try await read(Statements.listDevices, arguments)
        return try page(rows, limit, place: 13) { row throws(PostgresShapeError) in
            (try DeviceRow(rows, row).device, try rows.present8(row, 0))
        }
    }

    // MARK: Reading

    /// Arguments of a call that goes by the time, which is its first.
    func argumentsOfNow() -> PostgresArguments {
        var arguments = PostgresArguments()
        arguments.append(int8: time.now(at: options.boot()))
        return arguments
    }

    /// A page of a list whose last row tells up to where it has looked, in the column `place`.
    /// - Parameter item: an item with its number; `nil` for one that nobody is told of.
    func page<Item>(
        _ rows: PostgresRows, _ limit: Int, place: Int, _ item: (Int) throws(PostgresShapeError) -> (Item?, number: Int64)
    ) throws(StoreError) -> Page<Item> {
        try decoded { () throws(PostgresShapeError) in
            guard rows.count > 0 else { throw .end }
            var items: [Item] = []
            var last: Int64?
            for row in 0..<rows.count - 1 {
                let (found, number) = try item(row)
                if let found { items.append(found) }
                last = number
            }
            let next = rows.count > limit && last != nil ? last : try rows.int8(rows.count - 1, place)
            return Page(items: items, next: next.map { PageToken($0) })
        }
    }

    /// Reads as of one moment, of the primary.
    /// - Parameter mostBytes: of the answer.
    func read(
        _ statement: PostgresStatement, _ arguments: PostgresArguments, mostBytes: Int = 8 << 20
    ) async throws(StoreError) -> PostgresRows {
        guard isServing else { throw .unavailable(retryAfter: retryAfter) }
        let outcome = await reads.call(
            PostgresCall(statement, arguments, deadline: options.patience, mostBytes: mostBytes))
        // It changes nothing: what was not answered is asked again.
        if case .unknown = outcome { throw .unavailable(retryAfter: retryAfter) }
        return try result(outcome)
    }

    /// What a result says.
    func decoded<Value>(_ body: () throws(PostgresShapeError) -> Value) throws(StoreError) -> Value {
        do throws(PostgresShapeError) { return try body() } catch {
            options.log("an answer of the database cannot be read: \(error)")
            throw .unavailable(retryAfter: retryAfter)
        }
    }
}

extension Organisation {
    /// A row of `organisation_1` or `list_organisations_1`.
    init(_ rows: PostgresRows, _ row: Int) throws(PostgresShapeError) {
        self.init(
            id: OrgID(unchecked: try rows.name(row, 1) ?? ""), name: try rows.name(row, 2) ?? "",
            parent: try rows.name(row, 3).map { OrgID(unchecked: $0) }, devices: Int(try rows.present8(row, 4)),
            online: Int(try rows.present8(row, 5)))
    }
}

extension PostgresArguments {
    /// A text that somebody chose, or null.
    mutating func append(name: String?) { append(bytea: name.map { Array($0.utf8) }) }
}
