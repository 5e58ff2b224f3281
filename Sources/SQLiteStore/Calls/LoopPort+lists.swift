internal import Push
internal import StoreCore

// Lists for operators: read beside the writer, which then adds what only it knows.

extension LoopPort {
    func apps(after: PageToken?, limit: Int) async throws(StoreError) -> Page<App> {
        let first = try number(after)
        let apps = try await read(store.reports) { context throws(SQLiteError) in
            try context.tables.apps.page(after: first, limit: limit)
        }
        return Page(items: apps.map(\.app), next: next(apps.last?.number, count: apps.count, limit))
    }

    func organisations(after: PageToken?, limit: Int) async throws(StoreError) -> Page<Organisation> {
        let first = try number(after)
        let orgs = try await read(store.reports) { context throws(SQLiteError) in
            try context.tables.organisations.page(after: first, limit: limit)
        }
        let items = store.organisations.organisations(orgs)
        return Page(items: items, next: next(orgs.last.map(Int64.init), count: orgs.count, limit))
    }

    func devices(_ filter: DeviceFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<Device> {
        let first = try number(after)
        if filter.online == true { return try await onlineDevices(filter, first, limit) }
        let items = try await read(store.reports) { context throws(SQLiteError) -> [DeviceTable.Item] in
            let tables = context.tables
            let org = try filter.organisation.map { id throws(SQLiteError) in try tables.organisations.number(of: id) }
            let user = try filter.user.map { id throws(SQLiteError) in try tables.users.number(of: id) }
            // One that does not exist has no devices.
            if org == .some(nil) || user == .some(nil) { return [] }
            return try tables.devices.page(organisation: org ?? nil, user: user ?? nil, after: first, limit: limit)
        }
        let devices = try await completed(items, filter)
        return Page(items: devices, next: next(items.last.map { Int64($0.ordinal) }, count: items.count, limit))
    }

    /// Those that are connected are found from the sessions: they may be few of many.
    private func onlineDevices(_ filter: DeviceFilter, _ after: Int64, _ limit: Int) async throws(StoreError) -> Page<Device> {
        let ordinals = try await ask { decisions, _ throws(SQLiteError) in
            decisions.sessions.ordinals(after: after, limit: limit)
        }
        let items = try await read(store.reports) { context throws(SQLiteError) in
            try context.tables.devices.items(of: ordinals).filter { item in
                (filter.organisation.map { $0 == item.device.organisation } ?? true)
                    && (filter.user.map { $0 == item.device.user } ?? true)
            }
        }
        let devices = try await completed(items, filter)
        return Page(items: devices, next: next(ordinals.last.map(Int64.init), count: ordinals.count, limit))
    }

    private func completed(_ items: [DeviceTable.Item], _ filter: DeviceFilter) async throws(StoreError) -> [Device] {
        try await ask { decisions, _ throws(SQLiteError) in
            var devices: [Device] = []
            for item in items {
                var device = item.device
                device.online = decisions.sessions[item.ordinal] != nil
                device.lastSeen = try decisions.cursors.lastSeen(of: item.ordinal)
                if filter.online ?? device.online == device.online { devices.append(device) }
            }
            return devices
        }
    }

    // MARK: Where a list goes on: after a number

    func number(_ token: PageToken?) throws(StoreError) -> Int64 {
        guard let token else { return 0 }
        guard let number = Int64(token.text), number >= 0 else {
            throw .refused(Refusal(.invalidValue, field: "after", .expected(.pageToken, Excerpt(token.text))))
        }
        return number
    }

    func next(_ last: Int64?, count: Int, _ limit: Int) -> PageToken? {
        count < limit ? nil : last.map { PageToken(String($0)) }
    }
}
