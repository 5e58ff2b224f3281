internal import Push
internal import StoreCore

// Lists for operators: read beside the writer, which then adds what only it knows.

extension LoopPort {
    func apps(after: PageToken?, limit: Int) async throws(StoreError) -> Page<App> {
        let first = try PageToken.number(after)
        let apps = try await read(store.reports) { context throws(SQLiteError) in
            try context.tables.apps.page(after: first, limit: limit)
        }
        return Page(items: apps.map(\.app), next: next(apps.last?.number, count: apps.count, limit))
    }

    /// How many records one page of a list within a scope looks at: most of them may be outside.
    private static let scan = 1_000

    func organisations(within scope: OrgID?, after: PageToken?, limit: Int) async throws(StoreError) -> Page<Organisation> {
        let first = try PageToken.number(after)
        let most = scope == nil ? limit : max(limit, Self.scan)
        let orgs = try await read(store.reports) { context throws(SQLiteError) in
            try context.tables.organisations.page(after: first, limit: most)
        }
        let published = store.organisations
        guard let scope else {
            return Page(
                items: published.organisations(orgs, within: nil), next: next(orgs.last.map(Int64.init), count: orgs.count, limit)
            )
        }
        let inside = orgs.filter { published.isInside($0, scope) }
        let shown = inside.prefix(limit)
        let last = inside.count > limit ? shown.last : orgs.last
        return Page(
            items: published.organisations(Array(shown), within: scope),
            next: inside.count > limit || orgs.count == most ? last.map { PageToken(Int64($0)) } : nil)
    }

    func devices(_ filter: DeviceFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<Device> {
        let first = try PageToken.number(after)
        if filter.online == true { return try await onlineDevices(filter, first, limit) }
        let most = filter.scope == nil ? limit : max(limit, Self.scan)
        let found = try await read(store.reports) { context throws(SQLiteError) -> [DeviceTable.Item] in
            let tables = context.tables
            let org = try filter.organisation.map { id throws(SQLiteError) in try tables.organisations.number(of: id) }
            let user = try filter.user.map { id throws(SQLiteError) in try tables.users.number(of: id) }
            // One that does not exist has no devices.
            if org == .some(nil) || user == .some(nil) { return [] }
            return try tables.devices.page(organisation: org ?? nil, user: user ?? nil, after: first, limit: most)
        }
        let inside = inside(found, filter.scope)
        let items = inside.prefix(limit)
        let last = inside.count > limit ? items.last : found.last
        let isMore = inside.count > limit || found.count == most
        return Page(
            items: try await completed(Array(items), filter), next: isMore ? last.map { PageToken(Int64($0.ordinal)) } : nil)
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
        let devices = try await completed(inside(items, filter.scope), filter)
        return Page(items: devices, next: next(ordinals.last.map(Int64.init), count: ordinals.count, limit))
    }

    /// Those that there are for who is confined to a scope.
    private func inside(_ items: [DeviceTable.Item], _ scope: OrgID?) -> [DeviceTable.Item] {
        guard let scope else { return items }
        let published = store.organisations
        return items.filter { published.isInside($0.device.organisation, scope) }
    }

    private func completed(_ items: [DeviceTable.Item], _ filter: DeviceFilter) async throws(StoreError) -> [Device] {
        let node = store.options.node
        return try await ask { decisions, _ throws(SQLiteError) in
            var devices: [Device] = []
            for item in items {
                var device = item.device
                device.online = decisions.sessions[item.ordinal] != nil
                device.node = device.online ? node : nil
                device.lastSeen = try decisions.cursors.lastSeen(of: item.ordinal)
                if filter.online ?? device.online == device.online { devices.append(device) }
            }
            return devices
        }
    }

    // MARK: Where a list goes on: after a number

    func next(_ last: Int64?, count: Int, _ limit: Int) -> PageToken? {
        count < limit ? nil : last.map { PageToken($0) }
    }
}
