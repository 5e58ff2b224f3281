internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// Imports as operators see them: their text comes in parts, and how far they are is told.

extension StoreNode {
    /// How often somebody who waits for the end of an import looks for it, where another node works on it.
    private static let look = Duration.milliseconds(20)

    func keep(_ part: ImportPart, of id: ImportID) async throws(StoreError) {
        var arguments = PostgresArguments()
        append(part, of: id, to: &arguments)
        _ = try await ask(own, Statements.keepImport, arguments)
        comingImports.insert(id)
    }

    func abandon(_ id: ImportID) async {
        comingImports.remove(id)
        abandonedImports[id] = .some(nil)
        await abandonImports()
        importBell.ring()
    }

    /// A part may have been sent by a session that was given up, and its transaction waits for the standby still: nobody sees it
    /// until the server finds its session gone.
    private static let lateness = Duration.seconds(30)

    /// Has the parts dropped of which nothing more comes: there may be secrets in them. What the database does not answer is
    /// tried again, and what comes late is found.
    func abandonImports() async {
        for (id, end) in abandonedImports {
            var arguments = PostgresArguments()
            arguments.append(bytea: Array(id.text.utf8))
            let call = PostgresCall(Statements.abandonImport, arguments, deadline: options.patience)
            switch await own.call(call) {
            case .rows:
                let end = end ?? .now + Self.lateness
                abandonedImports[id] = end < .now ? nil : .some(end)
            case .failed(let error): tellSeldom("an import's parts cannot be dropped", of: error.state, "\(error)")
            case .unknown, .unavailable, .tooLarge: return
            }
        }
    }

    func run(
        _ id: ImportID, last part: ImportPart, patience: Duration, by call: OperatorCall
    ) async throws(StoreError) -> ImportReport {
        let deadline = ContinuousClock.now + patience
        await writeAudit()
        let line = AuditLine(of: AuditEntry(call, .importRun, AuditTarget(.import, id.text)), at: options.node)
        let rows = try await askTimely(own, Statements.runImport) { arguments in
            append(part, of: id, to: &arguments)
            arguments.append(int8: call.number?.value)
            arguments.append(audit: [line])
        }
        comingImports.remove(id)
        guard let number = (try? rows.int8(0, 0)) ?? nil else { throw .unknown }
        importBell.ring()
        return try await waitForEnd(of: number, until: deadline)
    }

    private func append(_ part: ImportPart, of id: ImportID, to arguments: inout PostgresArguments) {
        arguments.reserve(part.text.count + 64)
        arguments.append(int4: number)
        arguments.append(bytea: Array(id.text.utf8))
        arguments.append(int4: Int32(clamping: part.firstLine))
        arguments.append(int4: Int32(clamping: part.count))
        arguments.append(bytea: part.text)
        arguments.append(bool: !comingImports.contains(id))
    }

    /// - Returns: its report at its end, which nobody else is told; or how far it is when the time is over, or the store closes.
    private func waitForEnd(of number: Int64, until deadline: ContinuousClock.Instant) async throws(StoreError) -> ImportReport {
        var last: ImportReport?
        importWaiters += 1
        defer { importWaiters -= 1 }
        while true {
            let isLast = isClosing || ContinuousClock.now >= deadline
            do throws(StoreError) { last = try await report(number) ?? last } catch {
                // The database may be away for a while, and come back.
                if isLast, last == nil { throw error }
            }
            if let last, isLast { return last }
            if isLast { throw .unknown }
            if let last, last.state != .running {
                var arguments = PostgresArguments()
                arguments.append(int8: number)
                _ = try? await ask(own, Statements.dropImport, arguments)
                importBell.ring()
                return last
            }
            await importEndBell.wait(atMost: Self.look)
        }
    }

    // MARK: Reports

    func importReport(_ id: ImportID, by operator: OperatorNumber?) async throws(StoreError) -> ImportReport {
        let found = try await imports(id: id, by: `operator`, before: .max, limit: 1)
        guard let (number, report) = found.first else { throw .refused(Refusal(.noSuchTask, field: "import_id")) }
        return report.telling(try await failures(of: number))
    }

    func imports(by operator: OperatorNumber?, after: PageToken?, limit: Int) async throws(StoreError) -> Page<ImportReport> {
        var before = Int64.max
        if let after {
            guard let number = Int64(after.text), number > 0 else {
                throw .refused(Refusal(.invalidValue, field: "after", .expected(.pageToken, Excerpt(after.text))))
            }
            before = number
        }
        let found = try await imports(by: `operator`, before: before, limit: limit)
        let next = found.count == limit ? found.last.map { PageToken(String($0.number)) } : nil
        return Page(items: found.map(\.report), next: next)
    }

    private func report(_ number: Int64) async throws(StoreError) -> ImportReport? {
        guard let (_, report) = try await imports(number: number, before: .max, limit: 1).first else { return nil }
        return report.telling(try await failures(of: number))
    }

    private func imports(
        id: ImportID? = nil, number: Int64? = nil, by operator: OperatorNumber? = nil, before: Int64, limit: Int
    ) async throws(StoreError) -> [(number: Int64, report: ImportReport)] {
        var arguments = PostgresArguments()
        arguments.append(bytea: id.map { Array($0.text.utf8) })
        arguments.append(int8: number)
        arguments.append(int8: before)
        arguments.append(int8: `operator`?.value)
        arguments.append(int4: Int32(clamping: limit))
        let rows = try await ask(reads, Statements.imports, arguments)
        do {
            return try (0..<rows.count).map { row in (try rows.present8(row, 0), try ImportReport(rows, row)) }
        } catch {
            options.log("imports cannot be read: \(error)")
            throw .unavailable(retryAfter: retryAfter)
        }
    }

    private func failures(of number: Int64) async throws(StoreError) -> [LineFailure] {
        var arguments = PostgresArguments()
        arguments.append(int8: number)
        let rows = try await ask(reads, Statements.importFailures, arguments)
        do {
            return try (0..<rows.count).map { row in
                LineFailure(
                    line: Int(try rows.present4(row, 0)),
                    code: ErrorCode(rawValue: Int(try rows.present4(row, 1))) ?? .internalError, field: try rows.name(row, 2),
                    message: BilingualText(try rows.name(row, 3) ?? "", try rows.name(row, 4) ?? ""))
            }
        } catch {
            options.log("an import's failures cannot be read: \(error)")
            throw .unavailable(retryAfter: retryAfter)
        }
    }
}

extension ImportReport {
    /// A row of `imports_1`.
    fileprivate init(_ rows: PostgresRows, _ row: Int) throws(PostgresShapeError) {
        let state: State =
            switch try rows.present4(row, 2) {
            case 2: .done
            case 3: .failed
            default: .running
            }
        let (lines, took) = (Int(try rows.present4(row, 3)), try rows.present8(row, 9))
        var tally = ImportTally()
        tally.created = Int(try rows.present4(row, 4))
        tally.updated = Int(try rows.present4(row, 5))
        tally.failed = Int(try rows.present4(row, 6))
        let timeLeft =
            state == .running && tally.done > 0 ? took / 1_000 * Int64(lines - tally.done) / Int64(tally.done) : nil
        self.init(
            id: ImportID(try rows.name(row, 1) ?? ""), state: state, lines: lines, tally: tally,
            startedAt: try rows.present8(row, 7), endedAt: try rows.int8(row, 8), timeLeft: timeLeft, failures: [])
    }

    fileprivate func telling(_ failures: [LineFailure]) -> ImportReport {
        ImportReport(
            id: id, state: state, lines: lines, tally: tally, startedAt: startedAt, endedAt: endedAt, timeLeft: timeLeft,
            failures: failures)
    }
}
