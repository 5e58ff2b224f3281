internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// Imports go on by themselves: one node at a time applies their lines, some in a call, and leaves time to others between two
// calls.

/// The import that this node works on: where it stands, and the part of its text that is at hand.
struct RunningImport: Sendable {
    let number: Int64
    /// On whose behalf its lines are applied; `nil` for the installation.
    let `operator`: OperatorNumber?
    /// The last line that was applied.
    var line: Int
    /// How many have failed.
    var failed: Int
    /// The first line of the part that is at hand.
    let part: Int
    /// What is left of it; `nil`: every line was applied.
    var lines: ImportLines?
    /// Up to when its time is counted, on the monotonic clock.
    var counted = MonotonicClock.nanoseconds
}

extension StoreNode {
    /// The ended imports that are remembered.
    private static let kept = 100
    /// How soon an import is found whose node has died, and what is to be forgotten.
    private static let look = Duration.seconds(1)

    /// Applies imports, and forgets what is over, until the store is closed.
    func administer() async {
        while !isClosing {
            var isBusy = false
            do throws(StoreError) { isBusy = try await goOnImporting() } catch {
                // Nobody knows how far it is: the database does.
                importing = nil
                await Bell(on: loop).wait(atMost: options.rest)
            }
            await abandonImports()
            await tellLeftOut()
            await endExpiredSessions()
            if await !sweepAudit(), !isBusy { await importBell.wait(atMost: Self.look) }
        }
    }

    /// - Returns: whether there was anything to do.
    private func goOnImporting() async throws(StoreError) -> Bool {
        if importing == nil { importing = try await takeImport() }
        guard let running = importing else { return try await clearImports() }
        guard let lines = running.lines else {
            try await end(running)
            return true
        }
        let size = importPace.size
        let step = try await inTurn { node throws(StoreError) in
            try await node.decided { version throws(StoreError) in
                try await node.apply(ImportBatch(from: lines, atMost: size, node.directory.tree), of: running, version)
            }
        }
        importing = step.running
        importPace.finished(step.count, held: step.held)
        await Bell(on: loop).wait(atMost: importPace.pause)
        return true
    }

    /// The first import, if no other node works on it.
    private func takeImport() async throws(StoreError) -> RunningImport? {
        let failure = Refusal(.internalError)
        let rows = try await askTimely(own, Statements.takeImport) { arguments in
            arguments.append(int4: number)
            arguments.append(int4: Int32(failure.code.rawValue))
            arguments.append(bytea: Array(failure.message(in: .chinese).utf8))
            arguments.append(bytea: Array(failure.message(in: .english).utf8))
        }
        guard rows.count > 0 else { return nil }
        // Other lines may take more.
        importPace = ImportPace()
        do {
            let part = try rows.int4(0, 4).map { Int($0) }
            let line = Int(try rows.present4(0, 2))
            var lines: ImportLines?
            if let part, let text = try rows.bytea(0, 6) {
                lines = ImportLines(ImportPart(firstLine: part, count: Int(try rows.present4(0, 5)), text: text), after: line)
            }
            return RunningImport(
                number: try rows.present8(0, 0), operator: try rows.int8(0, 1).map { OperatorNumber($0) }, line: line,
                failed: Int(try rows.present4(0, 3)), part: part ?? 0, lines: lines)
        } catch {
            options.log("an import cannot be read: \(error)")
            throw .unavailable(retryAfter: retryAfter)
        }
    }

    /// What a call has done.
    private struct Step: Sendable {
        /// `nil`: the part is at its end, or the import is another node's.
        let running: RunningImport?
        let count: Int
        /// How long it kept others from the lane, in microseconds.
        let held: Int64
    }

    /// Decides lines and writes what they do, with how far the import is.
    /// - Returns: `nil` where the directory is of another version by now.
    private func apply(
        _ batch: ImportBatch, of running: RunningImport, _ version: Int64
    ) async throws(StoreError) -> Step? {
        let findings = try await find(for: batch.changes, by: running.operator, namingUsers: false)
        var decider = DirectoryDecider(directory, findings, by: running.operator)
        var after = running
        var tally = ImportTally()
        var failures: [LineFailure] = []
        for line in batch.lines {
            let result = decider.result(of: line)
            tally.count(result)
            after.line = line.number
            if case .failure(let refusal) = result {
                after.failed += 1
                if after.failed <= ImportReport.toldFailures { failures.append(LineFailure(line: line.number, refusal)) }
            }
        }
        after.lines = batch.rest
        after.counted = MonotonicClock.nanoseconds
        let isPartDone = batch.rest.isAtEnd
        let progress = ImportProgress(
            number: running.number, node: number, from: running.line, to: after.line, tally: tally,
            took: (after.counted - running.counted) / 1_000, part: isPartDone ? running.part : nil, failures: failures)
        switch try await write(decider.writes, [], version, progress) {
        case .notYet: return nil
        // This node was taken for dead.
        case .lost: return Step(running: nil, count: 0, held: 0)
        case .done(_, let held): return Step(running: isPartDone ? nil : after, count: batch.lines.count, held: held)
        }
    }

    /// Every line is applied: when every node has heard of it, whoever waits is told.
    private func end(_ running: RunningImport) async throws(StoreError) {
        try await untilApplied(UInt64(bitPattern: directory.version))
        var arguments = PostgresArguments()
        arguments.append(int8: running.number)
        arguments.append(int4: number)
        _ = try await ask(own, Statements.endImport, arguments)
        importing = nil
        importEndBell.ring()
    }

    /// Removes some of what is to go.
    /// - Returns: whether there was anything.
    private func clearImports() async throws(StoreError) -> Bool {
        let rows = try await askTimely(own, Statements.clearImports) { $0.append(int4: Int32(Self.kept)) }
        return ((try? rows.bool(0, 0)) ?? nil) ?? false
    }
}

extension DirectoryDecider {
    /// What becomes of a line.
    fileprivate mutating func result(of line: ImportLines.Line) -> Result<ChangeResult, Refusal> {
        do throws(Refusal) { return .success(try decide(try line.change.get())) } catch { return .failure(error) }
    }
}
