internal import Push

/// Lists of devices, in the order of their registration.
struct DeviceList {
    /// A device with what a reader can know of it.
    struct Item: Sendable {
        let ordinal: Int64
        let device: Device
    }

    let database: Database

    func page(_ filter: DeviceFilter, after: Int64, limit: Int) throws(SQLiteError) -> [Item] {
        var org: Int64?
        if let id = filter.organisation {
            org = try number("SELECT org FROM org WHERE org_id = ? AND removed = 0", id.text)
            if org == nil { return [] }
        }
        var user: Int64?
        if let id = filter.user {
            user = try number("SELECT user FROM holder WHERE user_id = ?", id.text)
            if user == nil { return [] }
        }
        let query = try statement(hasOrg: org != nil, hasUser: user != nil)
        query.bind(1, after)
        query.bind(2, limit)
        query.bind(3, org)
        query.bind(4, user)
        return try items(query)
    }

    func rows(_ ordinals: [UInt32], _ filter: DeviceFilter) throws(SQLiteError) -> [Item] {
        let query = try database.statement(
            """
            SELECT device.ordinal, token, platform, org.org_id, holder.user_id, test FROM device JOIN org ON org.org = device.org
            LEFT JOIN holder ON holder.user = device.user
            WHERE device.ordinal = ? AND retired_seq = 9223372036854775807
            """)
        var found: [Item] = []
        for ordinal in ordinals {
            query.bind(1, ordinal)
            found += try items(query)
        }
        return found.filter { item in
            (filter.organisation.map { $0 == item.device.organisation } ?? true)
                && (filter.user.map { $0 == item.device.user } ?? true)
        }
    }

    /// One text for each combination, so that each uses its index.
    private func statement(hasOrg: Bool, hasUser: Bool) throws(SQLiteError) -> Statement {
        switch (hasOrg, hasUser) {
        case (false, false):
            try database.statement(
                """
                SELECT device.ordinal, token, platform, org.org_id, holder.user_id, test FROM device
                JOIN org ON org.org = device.org LEFT JOIN holder ON holder.user = device.user
                WHERE device.ordinal > ?1 AND retired_seq = 9223372036854775807 AND ?3 IS NULL AND ?4 IS NULL
                ORDER BY device.ordinal LIMIT ?2
                """)
        case (true, false):
            try database.statement(
                """
                SELECT device.ordinal, token, platform, org.org_id, holder.user_id, test FROM device
                JOIN org ON org.org = device.org LEFT JOIN holder ON holder.user = device.user
                WHERE device.org = ?3 AND device.ordinal > ?1 AND retired_seq = 9223372036854775807 AND ?4 IS NULL
                ORDER BY device.ordinal LIMIT ?2
                """)
        case (_, true):
            try database.statement(
                """
                SELECT device.ordinal, token, platform, org.org_id, holder.user_id, test FROM device
                JOIN org ON org.org = device.org LEFT JOIN holder ON holder.user = device.user
                WHERE device.user = ?4 AND device.ordinal > ?1 AND retired_seq = 9223372036854775807
                  AND (?3 IS NULL OR device.org = ?3)
                ORDER BY device.ordinal LIMIT ?2
                """)
        }
    }

    private func items(_ query: Statement) throws(SQLiteError) -> [Item] {
        var found: [Item] = []
        while try query.step() {
            found.append(
                Item(
                    ordinal: query.int(0),
                    device: Device(
                        token: DeviceToken(unchecked: query.text(1)), platform: query.int(2) == 0 ? .android : .ios,
                        organisation: OrgID(unchecked: query.text(3)),
                        user: query.optionalText(4).map { UserID(unchecked: $0) }, test: query.int(5) != 0, online: false,
                        lastSeen: nil)))
        }
        return found
    }

    private func number(_ sql: StaticString, _ text: String) throws(SQLiteError) -> Int64? {
        let query = try database.statement(sql)
        query.bind(1, text)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.int(0)
    }
}
