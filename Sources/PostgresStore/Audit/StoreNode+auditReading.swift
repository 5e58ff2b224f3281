internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// What operators did, and who was refused: counted and read.

extension StoreNode {
    /// How many entries, or counts, one page looks at.
    private static let scan = 5_000
    /// How many counts one call adds.
    private static let countsAtATime = 250
    /// How many of each listener are told apart in a day, whoever they are: some 300 MB in 180 days.
    private static let keysOfDay = 10_000

    func count(_ refusals: [RefusalCount]) async throws(StoreError) {
        for first in stride(from: 0, to: refusals.count, by: Self.countsAtATime) {
            let part = Array(refusals[first..<min(first + Self.countsAtATime, refusals.count)])
            var arguments = PostgresArguments()
            arguments.append(each: part, int8: { $0.minute })
            arguments.append(each: part, int4: { Int32($0.key.listener.rawValue) })
            arguments.append(each: part, text: { $0.key.name?.text ?? "" })
            arguments.append(each: part, bytea: { $0.key.client?.storedBytes ?? [] })
            arguments.append(each: part, int4: { Int32($0.key.code ?? 0) })
            arguments.append(each: part, int8: { $0.count })
            arguments.append(int4: Int32(RefusalBook.mostKeys))
            arguments.append(int4: Int32(Self.keysOfDay))
            _ = try await ask(own, Statements.countRefusals, arguments)
            figures.countedRefusals(Int(clamping: part.reduce(0) { $0 + $1.count }))
        }
    }

    func audit(
        _ filter: AuditFilter, after: PageToken?, limit: Int, by call: OperatorCall
    ) async throws(StoreError) -> Page<AuditRecord> {
        let place = try AuditPlace(after)
        // What was recorded before is in it.
        await writeAudit()
        var arguments = PostgresArguments()
        arguments.append(bytea: filter.caller.map { Array($0.utf8) })
        arguments.append(bytea: filter.name.map { Array($0.text.utf8) })
        arguments.append(bytea: filter.client?.storedBytes)
        arguments.append(bytea: filter.node.map { Array($0.text.utf8) })
        arguments.append(bytea: filter.action.map { Array($0.rawValue.utf8) })
        arguments.append(bytea: filter.target.map { Array($0.utf8) })
        arguments.append(bytea: filter.task.map { Array($0.utf8) })
        arguments.append(int8: filter.task.flatMap { directory.tasks.position(of: TaskID($0)) }.map { Int64(bitPattern: $0) })
        arguments.append(int4: filter.code.map { Int32(clamping: $0) })
        arguments.append(int8: filter.from)
        arguments.append(int8: filter.to)
        arguments.append(bool: call.scope != nil)
        arguments.append(int8: call.number?.value)
        arguments.append(int4: call.scope.flatMap { directory.tree[$0] }.map { Int32(bitPattern: $0.org) })
        arguments.append(int8: place.at)
        arguments.append(int8: place.number)
        arguments.append(int4: Int32(clamping: limit))
        arguments.append(int4: Int32(Self.scan))
        let rows = try await ask(reads, Statements.audit, arguments)
        do { return try page(rows) } catch {
            options.log("the audit log cannot be read: \(error)")
            throw .unavailable(retryAfter: retryAfter)
        }
    }

    private func page(_ rows: PostgresRows) throws(PostgresShapeError) -> Page<AuditRecord> {
        var items: [AuditRecord] = []
        for row in 0..<rows.count {
            guard let action = try rows.name(row, 8) else {
                let next = AuditPlace(at: try rows.present8(row, 0), number: try rows.present8(row, 1))
                return Page(items: items, next: next.token)
            }
            if let record = try record(rows, row, action) { items.append(record) }
        }
        return Page(items: items, next: nil)
    }

    /// - Returns: `nil` for what only a later version knows.
    private func record(_ rows: PostgresRows, _ row: Int, _ action: String) throws(PostgresShapeError) -> AuditRecord? {
        let number = try rows.int8(row, 4)
        let identity = try rows.name(row, 5).map { name in
            OperatorIdentity(number.map { OperatorNumber($0) } ?? .unknown, OperatorName(unchecked: name))
        }
        guard let caller = AuditEntry.Caller(kind: try rows.name(row, 3) ?? "", identity),
            let action = AuditAction(rawValue: action)
        else { return nil }
        let kind = try rows.name(row, 9).flatMap { AuditTarget.Kind(rawValue: $0) }
        let id = try rows.name(row, 10)
        let target = kind.flatMap { kind in id.map { AuditTarget(kind, $0) } }
        let seq = try rows.int8(row, 12).map { UInt64(bitPattern: $0) }
        let entry = AuditEntry(
            caller, scope: nil, client: try rows.bytea(row, 6).flatMap { IPAddress(stored: $0) },
            requestID: try rows.name(row, 7), action, target,
            task: try rows.name(row, 11) ?? seq.map { directory.tasks.id(of: $0).text }, code: Int(try rows.present4(row, 13)),
            details: AuditDetail.read(try rows.name(row, 14)))
        return AuditRecord(
            number: try rows.present8(row, 1), time: try rows.present8(row, 2),
            node: try rows.name(row, 15).flatMap { NodeName($0) }, entry: entry)
    }

    func refusals(_ filter: RefusalFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<RefusalCount> {
        var place = try RefusalPlace(after)
        var arguments = PostgresArguments()
        arguments.append(int8: place.minute)
        arguments.append(int8: place.behind)
        arguments.append(int4: Int32(Self.scan))
        let rows = try await ask(reads, Statements.refusals, arguments)
        var items: [RefusalCount] = []
        do {
            for row in 0..<rows.count {
                place.pass(try rows.present8(row, 0))
                guard let count = try RefusalCount(rows, row), filter.matches(count) else { continue }
                items.append(count)
                if items.count == limit { return Page(items: items, next: place.token) }
            }
        } catch {
            options.log("counts of refusals cannot be read: \(error)")
            throw .unavailable(retryAfter: retryAfter)
        }
        return Page(items: items, next: rows.count == Self.scan ? place.token : nil)
    }
}

/// Where a list of the audit log goes on.
private struct AuditPlace {
    let at: Int64
    let number: Int64

    init(at: Int64, number: Int64) { (self.at, self.number) = (at, number) }

    init(_ token: PageToken?) throws(StoreError) {
        guard let token else {
            self.init(at: .max, number: .max)
            return
        }
        let parts = token.text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let at = Int64(parts[0]), let number = Int64(parts[1]), at >= 0, number >= 0 else {
            throw .refused(Refusal(.invalidValue, field: "after", .expected(.pageToken, Excerpt(token.text))))
        }
        self.init(at: at, number: number)
    }

    var token: PageToken { PageToken("\(at)-\(number)") }
}

/// Where a list of refusals goes on: in that minute, behind so many of it.
private struct RefusalPlace {
    private(set) var minute: Int64
    private(set) var behind: Int64

    init(_ token: PageToken?) throws(StoreError) {
        guard let token else {
            (minute, behind) = (.max, 0)
            return
        }
        let parts = token.text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let minute = Int64(parts[0]), let behind = Int64(parts[1]), minute >= 0, behind >= 0 else {
            throw .refused(Refusal(.invalidValue, field: "after", .expected(.pageToken, Excerpt(token.text))))
        }
        (self.minute, self.behind) = (minute, behind)
    }

    /// Goes past one more.
    mutating func pass(_ next: Int64) { if next == minute { behind += 1 } else { (minute, behind) = (next, 1) } }

    var token: PageToken { PageToken("\(minute)-\(behind)") }
}

extension RefusalCount {
    /// A row of `refusals_1`, as it is shown; `nil` for what only a later version knows.
    fileprivate init?(_ rows: PostgresRows, _ row: Int) throws(PostgresShapeError) {
        guard let listener = RefusalListener(rawValue: Int(try rows.present4(row, 1))) else { return nil }
        let name = try rows.name(row, 2) ?? ""
        let code = try rows.present4(row, 4)
        let key = RefusalCount.Key(
            listener, kept: name.isEmpty ? nil : ExactText(name),
            client: try rows.bytea(row, 3).flatMap { IPAddress(stored: $0) }, code: code == 0 ? nil : Int(code))
        let seen = try rows.present8(row, 0) * 60_000 + (try rows.present8(row, 5))
        self.init(key, minute: seen - seen % 60_000, count: try rows.present8(row, 6))
    }
}
