internal import PostgresStore
internal import Push
internal import SQLiteStore
internal import StoreCore

// What there is one of: partitions, sums, numbers, and time.

extension CopyWork {
    /// How many positions a partition of the log has, as nodes make them.
    private static let partition: UInt64 = 1 << 24
    /// How far versions of configurations jump where devices may have some that the source lacks; see `Renewal` of the embedded
    /// store.
    private static let versions: Int64 = 1 << 32

    /// The log's partitions: each has as many positions as nodes give it, but where positions have jumped none is made for the
    /// gap. The last one begins behind the newest position, since nodes make another one before it as long as it is empty.
    func makePartitions() async throws {
        var firsts: [UInt64] = [1]
        var place = try source.firstPosition(from: 1)
        while let first = place, first <= source.head {
            firsts.append(first + Self.partition)
            place = try source.firstPosition(from: first + Self.partition)
        }
        if firsts.count == 1 || firsts[firsts.count - 1] <= source.head + 1 {
            firsts.append(source.head + 1 + Self.partition)
        }
        var script = "DROP TABLE psp.log_1; DROP TABLE psp.log_16777217; DELETE FROM psp.log_part;"
        for (index, first) in firsts.enumerated() {
            let end = index + 1 < firsts.count ? "\(firsts[index + 1])" : "MAXVALUE"
            script += """

                CREATE TABLE psp.log_\(first) PARTITION OF psp.log FOR VALUES FROM (\(first)) TO (\(end)) WITH (fillfactor = 95);
                INSERT INTO psp.log_part (first) VALUES (\(first));
                """
        }
        try await filling.run("DO $$ BEGIN IF @filling THEN \(script) ELSE RAISE EXCEPTION 'no transaction'; END IF; END $$")
    }

    /// The sums of organisations are of all below them, and the embedded store has those of each alone.
    func sumUp() async throws {
        try await filling.run(
            """
            UPDATE psp.org o SET android = s.android, ios = s.ios, test_android = s.test_android, test_ios = s.test_ios
            FROM (\(OrganisationSums.query)) s
            WHERE o.org = s.org AND @filling
            """)
        let version = try source.number(.configurationVersion) + (source.isCertain ? 0 : Self.versions)
        let numbers: KeyValuePairs = [
            "configuration_version": version, "directory_version": Int64(bitPattern: source.head + 1),
            "ordinal": try source.number(.ordinal), "holder": try source.number(.user),
        ]
        for (key, value) in numbers {
            try await filling.run("UPDATE psp.meta SET value = \(value) WHERE key = '\(key)' AND @filling")
        }
        // Tasks keep their ids. New ones have the number that was drawn for this database, so that none of them is taken for one
        // that the embedded store gives should somebody start it again.
        try await filling.run("UPDATE psp.store_number SET from_seq = \(source.head + 1) WHERE @filling")
        let table = FilledTable("store_number", ["from_seq": .number, "store": .number])
        // One that was drawn when the embedded store began anew, and that no task has, is not needed there.
        for stretch in source.storeNumbers where stretch.from <= source.head {
            try await insert([.position(stretch.from), .number(Int64(stretch.store))], into: table)
        }
    }

    // MARK: Time

    /// Store time goes on from that of the embedded store, and what people see of rows is found by the shifts that it had.
    func setTime() async throws {
        let offsets = source.stretches.all.map(\.offset)
        let wall = try await filling.run("SELECT psp.wall()").int8(0, 0) ?? 0
        let shift = shift(toDatabaseClock: wall)
        // Where store time lies so far behind that an operator may have it follow, it is told since when.
        let isBehind = shift < -ClockRules.tolerance
        let (lowest, highest) = (min(0, shift, -(offsets.max() ?? 0)), max(0, shift, -(offsets.min() ?? 0)))
        try await filling.run(
            """
            UPDATE psp.clock SET shift = \(shift), lowest = \(lowest), highest = \(highest), timeline = psp.timeline(),
              set_at = \(isBehind ? "\(wall + shift)" : "NULL") WHERE @filling
            """)
        // The log's last row tells how late it is, and takes the position after all that were given.
        try await filling.run(
            """
            INSERT INTO psp.log (seq, target, created, kind)
            SELECT \(source.head + 1), 0, greatest(psp.wall() + \(shift), \(source.lastTime)), 14 WHERE @filling
            """)
    }

    /// What makes store time of the database's clock.
    ///
    /// As a rule the two clocks agree, and store time stays as far from them as it was. Where they do not, the database's may be
    /// wrong: then store time goes on by this machine, or, where that was off meanwhile, from the latest time that is known.
    private func shift(toDatabaseClock wall: Int64) -> Int64 {
        let (time, isCertain) = source.time
        let usual = -source.stretches.last.offset
        let agrees = (source.wallClock - wall).magnitude <= ClockRules.tolerance.magnitude
        let now = isCertain || !agrees ? time : max(time, wall + usual)
        let shift = now - wall
        let isUsual = (shift - usual).magnitude <= ClockRules.tolerance.magnitude && wall + usual >= source.lastTime
        return isUsual ? usual : shift
    }
}
