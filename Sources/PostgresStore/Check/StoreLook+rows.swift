internal import Postgres
internal import Push
internal import StoreCore

// What only a program can judge: hashes, bitmaps, and rows in their order.

extension StoreLook {
    // MARK: Partitions

    /// The log's partitions follow each other without a gap, and the last one has no end.
    func partitions() async throws -> [StoreFinding] {
        let rows = try await ask(
            """
            SELECT c.relname::text, pg_get_expr(c.relpartbound, c.oid), p.first
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            LEFT JOIN psp.log_part p ON c.relname = 'log_' || p.first WHERE i.inhparent = 'psp.log'::regclass
            """)
        var parts: [(name: String, from: Int64, to: Int64?, listed: Int64?)] = []
        for row in 0..<rows.count {
            let bounds = (try rows.text(row, 1) ?? "").split { !$0.isNumber && !$0.isLetter }.drop { $0 != "FROM" }
            let words = Array(bounds)
            guard words.count == 4, let from = Int64(words[1]) else { continue }
            parts.append((try rows.text(row, 0) ?? "", from, Int64(words[3]), try rows.int8(row, 2)))
        }
        parts.sort { $0.from < $1.from }
        var found: [StoreFinding] = []
        var end: Int64? = 0
        for part in parts {
            if part.from != end {
                let gap = BilingualText("从 %1 开始，而前一个分区到 %2 为止", "it begins at %1, and the one before it ends at %2")
                found.append(StoreFinding("log", part.name, gap, ["\(part.from)", end.map { "\($0)" } ?? "MAXVALUE"]))
            }
            if part.name != "log_kept", part.listed != part.from {
                let unlisted = BilingualText("psp.log_part 没有说明它从 %1 开始", "psp.log_part does not tell that it begins at %1")
                found.append(StoreFinding("log_part", part.name, unlisted, ["\(part.from)"]))
            }
            end = part.to
        }
        if let end {
            let bounded = BilingualText("日志在位置 %1 之后没有分区：推送会失败", "the log has no partition from %1 on: pushes will fail")
            found.append(StoreFinding("log", parts.last?.name ?? "-", bounded, ["\(end)"]))
        }
        return found
    }

    // MARK: Hashes

    func deviceHashes() async throws -> [StoreFinding] {
        var found: [StoreFinding] = []
        let sql = "SELECT ordinal, token, token_hash FROM psp.device WHERE ordinal > $1 ORDER BY ordinal LIMIT $2"
        try await pages(sql, atATime: 10_000) { rows in
            for row in 0..<rows.count where try rows.present8(row, 2) != StableHash.of(try rows.name(row, 1) ?? "") {
                let wrong = BilingualText("标识的散列值不符：设备不能连接", "its hash is not its token's: the device cannot connect")
                found.append(StoreFinding("device", "ordinal \(try rows.present8(row, 0))", wrong))
            }
            return found.count < Self.most
        }
        return found
    }

    /// Names are found by their hashes, and times follow positions.
    func logRows() async throws -> [StoreFinding] {
        var found: [StoreFinding] = []
        var latest = Int64.min
        let sql = """
            SELECT seq, created, kind::integer, app, biz, biz_hash, tag, tag_hash FROM psp.log WHERE seq > $1
            ORDER BY seq LIMIT $2
            """
        try await pages(sql, atATime: 10_000) { rows in
            for row in 0..<rows.count {
                let (place, created) = ("seq \(try rows.present8(row, 0))", try rows.present8(row, 1))
                if created < latest {
                    let early = BilingualText("早于之前的位置 %1 毫秒", "it was made %1 ms before an earlier position")
                    found.append(StoreFinding("log", place, early, ["\(latest - created)"]))
                }
                latest = max(latest, created)
                guard try rows.present4(row, 2) <= 1 else { continue }
                let app = AppKey(unchecked: try rows.int4(row, 3).flatMap { apps[$0] } ?? "")
                for (name, column) in [("out_biz_no", 4), ("tag", 6)] {
                    let wanted = try rows.name(row, column).map { StableHash.of($0, of: app) }
                    guard try rows.int8(row, column + 1) != wanted else { continue }
                    let wrong = BilingualText(
                        "%1 的散列值不符：按它查找会漏掉该任务", "the hash of its %1 is another one's: it is not found by that")
                    found.append(StoreFinding("log", place, wrong, [name]))
                }
            }
            return found.count < Self.most
        }
        return found
    }

    func configurationHashes() async throws -> [StoreFinding] {
        var found: [StoreFinding] = []
        let sql = """
            SELECT seq, slot, target_kind::integer, target, app, tag, test FROM psp.current_config WHERE seq > $1
            ORDER BY seq LIMIT $2
            """
        try await pages(sql, atATime: 10_000) { rows in
            for row in 0..<rows.count {
                guard let kind = TargetKey.Kind(rawValue: Int64(try rows.present4(row, 2))) else { continue }
                let slot = ConfigurationSlot.hash(
                    kind: kind, name: try rows.name(row, 3) ?? "", app: apps[try rows.present4(row, 4)] ?? "",
                    tag: try rows.name(row, 5) ?? "", testOnly: try rows.bool(row, 6) ?? false)
                if try rows.present8(row, 1) != slot {
                    let wrong = BilingualText("散列值不符：新的配置不会取代它", "its hash is another one's: a newer one will not supersede it")
                    found.append(StoreFinding("current_config", "seq \(try rows.present8(row, 0))", wrong))
                }
            }
            return found.count < Self.most
        }
        return found
    }

    // MARK: Receipts

    /// Bitmaps can be read, name devices that there are, and no more of them than their tasks address.
    func receipts() async throws -> [StoreFinding] {
        let highest = try await ask("SELECT value FROM psp.meta WHERE key = 'ordinal'").int8(0, 0) ?? 0
        var found: [StoreFinding] = []
        // All rows of some tasks at a time.
        let sql = """
            SELECT x.seq, x.is_mark, x.mark::integer, x.chunk, x.bits, l.target, l.targeted, l.skipped
            FROM (
              SELECT seq, false AS is_mark, mark, chunk, bits FROM psp.receipt WHERE seq = ANY (p.seqs)
              UNION ALL SELECT seq, true, mark, chunk, bits FROM psp.mark WHERE seq = ANY (p.seqs)) x
            LEFT JOIN psp.log l ON l.seq = x.seq AND l.kind <= 1
            """
        let page = """
            SELECT y.* FROM (SELECT array_agg(s.seq) AS seqs FROM (
              (SELECT DISTINCT seq FROM psp.receipt WHERE seq > $1 ORDER BY seq LIMIT $2)
              UNION (SELECT DISTINCT seq FROM psp.mark WHERE seq > $1 ORDER BY seq LIMIT $2) ORDER BY seq LIMIT $2) s) p
            CROSS JOIN LATERAL (\(sql)) y ORDER BY y.seq
            """
        try await pages(page, atATime: 20) { rows in
            var first = 0
            while first < rows.count {
                let seq = try rows.present8(first, 0)
                var end = first
                while end < rows.count, try rows.present8(end, 0) == seq { end += 1 }
                if let problem = try problem(of: rows, first..<end, highest) {
                    found.append(StoreFinding("receipt", "seq \(seq)", problem))
                }
                first = end
            }
            return found.count < Self.most
        }
        return found
    }

    /// What is wrong with the receipts of one task; `nil`: nothing.
    private func problem(of rows: PostgresRows, _ range: Range<Int>, _ highest: Int64) throws -> BilingualText? {
        var sets: [Bool: [Int32: OrdinalSet]] = [:]
        var (only, joined) = (false, 0)
        for row in range {
            let (isMark, mark, chunk) = (try rows.bool(row, 1) == true, try rows.present4(row, 2), try rows.present4(row, 3))
            guard (isMark ? [1, 2, 3] : [0, 1, 4]).contains(mark) else {
                return BilingualText("标记 \(mark) 不属于该表", "the mark \(mark) does not belong there")
            }
            guard let bits = try rows.bytea(row, 4) else {
                guard chunk == -1, try rows.int8(row, 5).map({ $0 >> 56 == 1 }) ?? true else {
                    return BilingualText("不是单播，却没有位图", "it is no unicast, and has no bitmap")
                }
                if mark != TaskReceipts.Mark.joined.rawValue { only = true } else { joined += 1 }
                continue
            }
            guard chunk >= 0, let set = OrdinalSet(serialized: bits) else {
                return BilingualText("位图 \(mark)/\(chunk) 无法读取", "the bitmap \(mark)/\(chunk) cannot be read")
            }
            if let last = set.last, Int64(chunk) << 16 | Int64(last) > highest {
                return BilingualText(
                    "位图 \(mark)/\(chunk) 中有不存在的设备", "the bitmap \(mark)/\(chunk) names a device that there never was")
            }
            let isJoined = mark == TaskReceipts.Mark.joined.rawValue
            if let known = sets[isJoined]?[chunk] { known.formUnion(set) } else { sets[isJoined, default: [:]][chunk] = set }
        }
        guard let targeted = try rows.int4(range.lowerBound, 6), let skipped = try rows.int4(range.lowerBound, 7) else {
            return nil
        }
        let settled = (sets[false]?.values.reduce(0) { $0 + $1.count } ?? 0) + (only ? 1 : 0)
        joined += sets[true]?.values.reduce(0) { $0 + $1.count } ?? 0
        guard settled > Int(targeted) - Int(skipped) + joined else { return nil }
        return BilingualText(
            "任务有 \(settled) 台设备的结果，但只发给 \(Int(targeted) - Int(skipped) + joined) 台",
            "the task has what became of \(settled) devices, and was for \(Int(targeted) - Int(skipped) + joined)")
    }
}
