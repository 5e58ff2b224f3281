internal import Push

extension LoopPort {
    func apply(_ change: DirectoryChange) async throws(StoreError) -> ChangeResult {
        try await self.change(confirmed: true) { ledger throws(SQLiteError) in
            try ledger.apply(change).mapError { .refused($0) }
        }
    }

    func apply(_ changes: [DirectoryChange]) async throws(StoreError) -> [Result<ChangeResult, Refusal>] {
        guard !changes.isEmpty else { return [] }
        let loop = loop
        return await withAnswer { (continuation: AnswerContinuation<[Result<ChangeResult, Refusal>]>) in
            let failed: @Sendable (ErrorCode) -> Answer = { code in
                let results = Array(repeating: Result<ChangeResult, Refusal>.failure(Refusal(code)), count: changes.count)
                return { continuation.resume(returning: results) }
            }
            store.writer.submit(
                Job(
                    loop: loop,
                    decide: { ledger throws(SQLiteError) in
                        guard ledger.failure == nil else { return failed(.unavailable) }
                        ledger.imports.append(Import(changes, loop: loop) { continuation.resume(returning: $0) })
                        return nil
                    },
                    // For one that no commit has begun; once begun, the import answers by itself.
                    fail: { failed($0 == .unknown ? .internalError : .unavailable) }))
        }
    }

    func app(_ key: AppKey) async throws(StoreError) -> App {
        let app = try await decide { ledger throws(SQLiteError) in ledger.apps[key]?.app }
        guard let app else { throw .refused(Refusal(.noSuchApp, field: "appkey")) }
        return app
    }

    func organisation(_ id: OrgID) async throws(StoreError) -> Organisation {
        let found = try await decide { ledger throws(SQLiteError) -> Organisation? in
            guard let node = ledger.tree[id] else { return nil }
            return ledger.organisations([node.org]).first
        }
        guard let found else { throw .refused(Refusal(.noSuchOrganisation, field: "org_id")) }
        return found
    }

    func device(_ token: DeviceToken) async throws(StoreError) -> Device {
        let found = try await decide { ledger throws(SQLiteError) -> Device? in
            guard let device = try ledger.device(token) else { return nil }
            let user: UserID? = if let user = device.user { try ledger.name(ofUser: user) } else { nil }
            guard let org = ledger.tree[device.org]?.id else { return nil }
            return Device(
                token: token, platform: device.platform, organisation: org, user: user, test: device.test,
                online: ledger.sessions[device.ordinal] != nil, lastSeen: try ledger.cursors.lastSeen(of: device.ordinal))
        }
        guard let found else { throw .refused(Refusal(.noSuchDevice, field: "device_token")) }
        return found
    }

    // MARK: Lists: read beside the writer, which then adds what only it knows

    func apps(after: PageToken?, limit: Int) async throws(StoreError) -> Page<App> {
        let first = try number(after)
        let keys = try await read(store.reports) { context throws(SQLiteError) in
            let query = try context.database.statement(
                "SELECT app, appkey FROM app WHERE app > ? AND removed = 0 ORDER BY app LIMIT ?")
            query.bind(1, first)
            query.bind(2, limit)
            var found: [(number: Int64, key: AppKey)] = []
            while try query.step() { found.append((query.int(0), AppKey(unchecked: query.text(1)))) }
            return found
        }
        let apps = try await decide { ledger throws(SQLiteError) in keys.compactMap { ledger.apps[$0.key]?.app } }
        return Page(items: apps, next: next(keys.last?.number, count: keys.count, limit))
    }

    func organisations(after: PageToken?, limit: Int) async throws(StoreError) -> Page<Organisation> {
        let first = try number(after)
        let orgs = try await read(store.reports) { context throws(SQLiteError) in
            let query = try context.database.statement("SELECT org FROM org WHERE org > ? AND removed = 0 ORDER BY org LIMIT ?")
            query.bind(1, first)
            query.bind(2, limit)
            var found: [UInt32] = []
            while try query.step() { found.append(UInt32(truncatingIfNeeded: query.int(0))) }
            return found
        }
        let items = try await decide { ledger throws(SQLiteError) in ledger.organisations(orgs) }
        return Page(items: items, next: next(orgs.last.map(Int64.init), count: orgs.count, limit))
    }

    func devices(_ filter: DeviceFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<Device> {
        let first = try number(after)
        if filter.online == true { return try await onlineDevices(filter, first, limit) }
        let rows = try await read(store.reports) { context throws(SQLiteError) in
            try DeviceList(database: context.database).page(filter, after: first, limit: limit)
        }
        let items = try await complete(rows, filter)
        return Page(items: items, next: next(rows.last?.ordinal, count: rows.count, limit))
    }

    /// Those that are connected are found from the sessions: they may be few of many.
    private func onlineDevices(_ filter: DeviceFilter, _ after: Int64, _ limit: Int) async throws(StoreError) -> Page<Device> {
        let ordinals = try await decide { ledger throws(SQLiteError) in
            Array(ledger.sessions.byOrdinal.keys.filter { Int64($0) > after }.sorted().prefix(limit))
        }
        let rows = try await read(store.reports) { context throws(SQLiteError) in
            try DeviceList(database: context.database).rows(ordinals, filter)
        }
        let items = try await complete(rows, filter)
        return Page(items: items, next: next(ordinals.last.map(Int64.init), count: ordinals.count, limit))
    }

    private func complete(_ rows: [DeviceList.Item], _ filter: DeviceFilter) async throws(StoreError) -> [Device] {
        try await decide { ledger throws(SQLiteError) in
            var devices: [Device] = []
            for row in rows {
                var device = row.device
                let ordinal = UInt32(truncatingIfNeeded: row.ordinal)
                device.online = ledger.sessions[ordinal] != nil
                device.lastSeen = try ledger.cursors.lastSeen(of: ordinal)
                if filter.online ?? device.online == device.online { devices.append(device) }
            }
            return devices
        }
    }

    private func number(_ token: PageToken?) throws(StoreError) -> Int64 {
        guard let token else { return 0 }
        guard let number = Int64(token.text), number >= 0 else { throw .refused(Refusal(.invalidValue, field: "after")) }
        return number
    }

    private func next(_ last: Int64?, count: Int, _ limit: Int) -> PageToken? {
        count < limit ? nil : last.map { PageToken(String($0)) }
    }
}
