internal import Base
internal import PostgresStore
internal import Push
internal import SQLiteStore
internal import StoreCore

// The log, the configurations that count, and what became of tasks.

extension CopyWork {
    func copyLog() async throws {
        let table = FilledTable(
            "log",
            [
                "seq": .number, "target": .number, "created": .number, "expires": .number, "wall_offset": .number,
                "biz_hash": .number, "tag_hash": .number, "version": .number, "ref": .number, "ended_at": .number, "app": .number,
                "within": .number, "body_start": .number, "body_end": .number, "targeted": .number, "skipped": .number,
                "kind": .number, "flags": .number, "display": .number, "status": .number, "payload": .bytes, "tag": .bytes,
                "description": .bytes, "biz": .bytes, "fingerprint": .bytes, "client": .bytes, "request_id": .bytes,
                "operator": .bytes,
            ])
        let rows = try source.rows(
            """
            SELECT seq, target, created, expires, version, ref, ended_at, app, within, body_start, body_end, targeted, skipped,
              kind, flags, display, status, payload, tag, description, out_biz_no, fingerprint, client, request_id, operator
            FROM message ORDER BY seq
            """)
        while try rows.next() { try await insert(logRow(rows), into: table) }
    }

    private func logRow(_ rows: SourceRows) -> [FilledValue] {
        let stretch = source.stretches[rows.position(0)]
        // What a reference tells of its task, the shared store reads there.
        let isReference = rows.optionalNumber(5) != nil
        let app = apps[rows.number(7)] ?? AppKey(unchecked: "")
        let (tag, biz) = (isReference ? nil : rows.optionalText(18), isReference ? nil : rows.optionalText(20))
        return [
            .number(rows.number(0)), .number(rows.number(1)), .number(rows.number(2) + stretch.shift),
            .number(rows.optionalNumber(3).map { $0 + stretch.shift }), .number(stretch.offset),
            .number(biz.map { StableHash.of($0, of: app) }), .number(tag.map { StableHash.of($0, of: app) }),
            .number(isReference ? nil : rows.optionalNumber(4)), .number(rows.optionalNumber(5)),
            .number(rows.optionalNumber(6).map { source.stretches.meaning(ofStamp: $0) }), .number(rows.number(7)),
            .number(rows.optionalNumber(8)), .number(isReference ? nil : rows.optionalNumber(9)),
            .number(isReference ? nil : rows.optionalNumber(10)), .number(rows.number(11)), .number(rows.number(12)),
            .number(rows.number(13)), .number(rows.number(14)), .number(isReference ? nil : rows.optionalNumber(15)),
            .number(rows.number(16)), .bytes(isReference ? nil : rows.bytes(17) ?? []),
            .bytes(tag.map { Array($0.utf8) }), .bytes(rows.bytes(19)), .bytes(biz.map { Array($0.utf8) }),
            .bytes(rows.bytes(21)), .bytes(rows.address(22)?.storedBytes), .bytes(rows.bytes(23)), .bytes(rows.bytes(24)),
        ]
    }

    func copyConfigurations() async throws {
        let table = FilledTable(
            "current_config",
            [
                "slot": .number, "seq": .number, "target": .bytes, "target_kind": .number, "app": .number, "tag": .bytes,
                "test": .flag, "within": .number,
            ])
        let rows = try source.rows(
            """
            SELECT kind, target, app, tag, test, current_config.seq, current_config.within
            FROM current_config JOIN (SELECT seq FROM message) USING (seq)
            """)
        while try rows.next() {
            guard let kind = TargetKey.Kind(rawValue: rows.number(0)), let app = apps[rows.number(2)] else { continue }
            let isForTests = rows.number(4) != 0
            let slot = ConfigurationSlot.hash(
                kind: kind, name: rows.text(1), app: app.text, tag: rows.text(3), testOnly: isForTests)
            try await insert(
                [
                    .number(slot), .number(rows.number(5)), .bytes(rows.bytes(1)), .number(kind.rawValue),
                    .number(rows.number(2)), .bytes(rows.bytes(3) ?? []), .flag(isForTests), .number(rows.optionalNumber(6)),
                ], into: table)
        }
    }

    // MARK: What became of tasks

    /// Rows of a node write what devices have told; these are nobody's, who never writes them again: nodes' numbers begin with 1.
    private static let nobody: Int64 = 0
    /// The chunk of the device of a unicast, which has no bitmap.
    private static let only: Int64 = -1

    private enum Tables {
        static let receipt = FilledTable(
            "receipt", ["seq": .number, "mark": .number, "chunk": .number, "node": .number, "bits": .bytes])
        static let mark = FilledTable("mark", ["seq": .number, "mark": .number, "chunk": .number, "bits": .bytes])
    }

    /// The embedded store counts and keeps bitmaps; the shared one keeps bitmaps and counts these.
    func copyReceipts() async throws {
        for ofDevices in [true, false] {
            try await copyUnicasts(ofDevices)
            try await copyBitmaps(ofDevices)
        }
        let events = FilledTable("event", ["seq": .number, "event": .number, "ordinal": .number, "detail": .bytes])
        let told = try source.rows(
            "SELECT seq, event, ordinal, detail FROM event WHERE EXISTS (SELECT 1 FROM message WHERE message.seq = event.seq)")
        while try told.next() {
            try await insert(
                [.number(told.number(0)), .number(told.number(1)), .number(told.number(2)), .bytes(told.bytes(3))],
                into: events)
        }
    }

    /// What a device has told of a task, and not what the store has marked.
    private static func isOfDevice(_ mark: TaskReceipts.Mark) -> Bool { [.delivered, .skipped, .rejected].contains(mark) }

    /// Of the device of a unicast the marks are bits of a number.
    private func copyUnicasts(_ ofDevices: Bool) async throws {
        let rows = try source.rows(
            """
            SELECT counter.seq, state FROM counter JOIN (SELECT seq FROM message WHERE target >> 56 = 1) USING (seq)
            WHERE state <> 0 ORDER BY counter.seq
            """)
        while try rows.next() {
            let (seq, state) = (rows.position(0), rows.number(1))
            for mark in TaskReceipts.Mark.allCases where Self.isOfDevice(mark) == ofDevices && state & 1 << mark.rawValue != 0 {
                try await insert(mark, of: seq, chunk: Self.only, nil)
            }
        }
    }

    private func copyBitmaps(_ ofDevices: Bool) async throws {
        let rows = try source.rows(
            "SELECT seq, kind, chunk, bits FROM receipt WHERE EXISTS (SELECT 1 FROM message WHERE message.seq = receipt.seq)")
        while try rows.next() {
            guard let mark = TaskReceipts.Mark(rawValue: rows.number(1)), Self.isOfDevice(mark) == ofDevices else { continue }
            let bits = rows.bytes(3) ?? []
            guard let set = OrdinalSet(serialized: bits) else {
                throw StoreCopy.Failure.source(
                    .failed(
                        BilingualText(
                            "位置 \(rows.number(0)) 的任务的回执无法读取：请用 pspctl check 检查",
                            "the receipts of the task at position \(rows.number(0)) cannot be read: pspctl check")))
            }
            if set.count > 0 { try await insert(mark, of: rows.position(0), chunk: rows.number(2), bits) }
        }
    }

    private func insert(_ mark: TaskReceipts.Mark, of seq: UInt64, chunk: Int64, _ bits: [UInt8]?) async throws {
        if Self.isOfDevice(mark) {
            try await insert(
                [.position(seq), .number(mark.rawValue), .number(chunk), .number(Self.nobody), .bytes(bits)],
                into: Tables.receipt)
        } else {
            try await insert([.position(seq), .number(mark.rawValue), .number(chunk), .bytes(bits)], into: Tables.mark)
        }
    }

    // MARK: What still follows

    func copyFollowUps() async throws {
        let table = FilledTable(
            "job",
            [
                "number": .number, "position": .number, "kind": .number, "subject": .number, "object": .number,
                "place": .number,
            ])
        for followUp in try source.followUps() {
            guard let (kind, subject, object) = Self.job(followUp.work) else { continue }
            try await insert(
                [
                    .number(followUp.number), .position(followUp.position), .number(Int64(kind.rawValue)),
                    .number(Int64(subject)), .position(object), .position(followUp.place),
                ], into: table)
        }
        for case .cancel(let configuration) in try source.followUps().map(\.work) { try await cancel(configuration) }
        try await setSequence(of: "job", "number")
    }

    /// What a job is in the shared store, whose places mean the same; `nil` for one configuration that is to end, of which it has
    /// no job.
    private static func job(_ work: FollowUp.Work) -> (Job.Kind, subject: UInt32, object: UInt64)? {
        switch work {
        case .enter(let organisation, let former): (.enter, organisation, UInt64(former))
        case .joinSubtree(let organisation, let configuration): (.joinSubtree, organisation, configuration)
        case .joinUser(let organisation, let configuration): (.joinUser, organisation, configuration)
        case .enterAll(let device, let former): (.enterAll, device, former?.number ?? 0)
        case .joinDevice(let device, let configuration): (.joinDevice, device, configuration)
        case .withdraw(let device): (.withdraw, device, 0)
        case .withdrawTests(let device): (.withdrawTests, device, 0)
        case .cancelAll(let organisation): (.cancelAll, organisation, 0)
        case .cancel: nil
        }
    }

    private func cancel(_ configuration: UInt64) async throws {
        let (seq, now) = (Int64(bitPattern: configuration), source.time.now)
        try await filling.run(
            """
            UPDATE psp.log SET status = 1, ended_at = \(now)
            WHERE seq = \(seq) AND status = 0 AND (expires IS NULL OR expires > \(now)) AND @filling
            """)
        try await filling.run("DELETE FROM psp.current_config WHERE seq = \(seq) AND @filling")
    }
}
