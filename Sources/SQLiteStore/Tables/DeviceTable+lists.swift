internal import Push
internal import StoreCore

// Lists of devices, in the order of their ordinals.

extension DeviceTable {
    /// A live device as operators see it, but for what only the writer knows: whether it is connected, and when it was last.
    struct Item: Sendable {
        let ordinal: UInt32
        let device: Device
    }

    /// Live devices after an ordinal, of an organisation itself or of a user where one is given.
    func page(organisation: Int64?, user: Int64?, after: Int64, limit: Int) throws(SQLiteError) -> [Item] {
        let query = try page(hasOrganisation: organisation != nil, hasUser: user != nil)
        query.bind(1, after)
        query.bind(2, limit)
        query.bind(3, organisation)
        query.bind(4, user)
        return try items(query)
    }

    /// One text for each combination, so that each uses its index.
    private func page(hasOrganisation: Bool, hasUser: Bool) throws(SQLiteError) -> Statement {
        switch (hasOrganisation, hasUser) {
        case (false, false):
            try database.statement(
                """
                SELECT device.ordinal, token, platform, org.org_id, holder.user_id, test, certificate FROM live_device AS device
                JOIN org ON org.org = device.org LEFT JOIN holder ON holder.user = device.user
                WHERE device.ordinal > ?1 AND ?3 IS NULL AND ?4 IS NULL
                ORDER BY device.ordinal LIMIT ?2
                """)
        case (true, false):
            try database.statement(
                """
                SELECT device.ordinal, token, platform, org.org_id, holder.user_id, test, certificate FROM live_device AS device
                JOIN org ON org.org = device.org LEFT JOIN holder ON holder.user = device.user
                WHERE device.org = ?3 AND device.ordinal > ?1 AND ?4 IS NULL
                ORDER BY device.ordinal LIMIT ?2
                """)
        case (_, true):
            try database.statement(
                """
                SELECT device.ordinal, token, platform, org.org_id, holder.user_id, test, certificate FROM live_device AS device
                JOIN org ON org.org = device.org LEFT JOIN holder ON holder.user = device.user
                WHERE device.user = ?4 AND device.ordinal > ?1 AND (?3 IS NULL OR device.org = ?3)
                ORDER BY device.ordinal LIMIT ?2
                """)
        }
    }

    /// Those of the devices that are live.
    func items(of ordinals: [UInt32]) throws(SQLiteError) -> [Item] {
        let query = try database.statement(
            """
            SELECT device.ordinal, token, platform, org.org_id, holder.user_id, test, certificate FROM live_device AS device
            JOIN org ON org.org = device.org LEFT JOIN holder ON holder.user = device.user WHERE device.ordinal = ?
            """)
        var found: [Item] = []
        for ordinal in ordinals {
            query.bind(1, ordinal)
            found += try items(query)
        }
        return found
    }

    private func items(_ query: Statement) throws(SQLiteError) -> [Item] {
        var found: [Item] = []
        while try query.step() {
            found.append(
                Item(
                    ordinal: query.short(0),
                    device: Device(
                        token: DeviceToken(unchecked: query.text(1)), platform: Platform(number: query.int(2)),
                        organisation: OrgID(unchecked: query.text(3)),
                        user: query.optionalText(4).map { UserID(unchecked: $0) }, test: query.int(5) != 0, online: false,
                        lastSeen: nil, certificate: CertificateFingerprint(bytes: query.blob(6)))))
        }
        return found
    }

    // MARK: Who was ever in a target

    /// Devices that ever had that user, from an ordinal on.
    func ordinals(everOfUser user: Int64, from first: Int64, limit: Int) throws(SQLiteError) -> [UInt32] {
        try ordinals("SELECT ordinal FROM device WHERE user = ?1 AND ordinal >= ?2 ORDER BY ordinal LIMIT ?3", user, first, limit)
    }

    /// Devices that were ever in that organisation itself, from an ordinal on: both those that still are and those that left, in
    /// one order, so that one which moves while the list is paged through is neither missed nor listed twice.
    func ordinals(everOfOrganisation org: UInt32, from first: Int64, limit: Int) throws(SQLiteError) -> [UInt32] {
        let present = try ordinals(
            "SELECT ordinal FROM device WHERE org = ?1 AND ordinal >= ?2 ORDER BY ordinal LIMIT ?3", Int64(org), first, limit)
        let past = try ordinals(
            "SELECT DISTINCT ordinal FROM past_org WHERE org = ?1 AND ordinal >= ?2 ORDER BY ordinal LIMIT ?3", Int64(org), first,
            limit)
        return past.isEmpty ? present : Array(Set(present + past).sorted().prefix(limit))
    }

    private func ordinals(
        _ sql: StaticString, _ id: Int64, _ first: Int64, _ limit: Int
    ) throws(SQLiteError) -> [UInt32] {
        let query = try database.statement(sql)
        query.bind(1, id)
        query.bind(2, first)
        query.bind(3, limit)
        var found: [UInt32] = []
        while try query.step() { found.append(query.short(0)) }
        return found
    }
}
