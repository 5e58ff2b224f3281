internal import Libevent
internal import Postgres
internal import Push
internal import StoreCore

// The log, as it goes on: read, and told to the loops that it concerns.

extension StoreNode {
    /// How many positions one reading takes at most.
    private static let page: Int32 = 512
    /// Of so many rows for single devices in one reading each is told to every node. Of more only those that are a node's own:
    /// most are not, and their bodies would go to all.
    private static let few: Int32 = 16
    /// How long the log is looked at by itself after something has come.
    private static let wakeful = 32
    /// Of a log that goes on so fast more is read at once, a little later: a reading costs by itself, too.
    private static let (many, manyPause): (UInt64, Duration) = (32, .milliseconds(10))

    /// Follows the log until the store is closed.
    func follow() async {
        var idle = 0
        while !isClosing {
            // The directory is read anew, and as far as that the log is not read.
            while isJoining, !isClosing { await readyBell.wait(atMost: options.rest) }
            let count = await readOn()
            idle = count == 0 ? idle + 1 : 0
            if count >= UInt64(Self.page) { continue }
            if count >= Self.many { await Bell(on: loop).wait(atMost: Self.manyPause) }
            await bell.wait(atMost: idle < Self.wakeful ? options.pause : options.rest)
        }
    }

    /// Reads what has come since the last time. What waited for the reading that began last goes on.
    /// - Returns: by how many positions the log has gone on.
    @discardableResult
    func readOn() async -> UInt64 {
        let before = head
        readingsBegun += 1
        let number = readingsBegun
        guard let entries = await readLog(after: head) else { return 0 }
        await apply(entries)
        for reading in takeReadings(where: { $0.last < number }) { reading.goOn() }
        beginTermIfFollowed()
        return head - before
    }

    /// Who waits for a reading that does not come is refused, as devices do not wait for ever.
    func giveReadingsUp(where isOver: (AwaitedReading) -> Bool) {
        for reading in takeReadings(where: isOver) { reading.giveUp() }
    }

    private func takeReadings(where isTaken: (AwaitedReading) -> Bool) -> [AwaitedReading] {
        defer { readings.removeAll(where: isTaken) }
        return readings.filter(isTaken)
    }

    /// What the log tells this node after a position, and the row that ends the reading.
    /// - Returns: `nil` where the database has not answered.
    private func readLog(after position: UInt64) async -> [LogEntry]? {
        var arguments = PostgresArguments()
        arguments.append(int4: number)
        arguments.append(int8: Int64(bitPattern: position))
        arguments.append(int4: Self.page)
        arguments.append(int4: Self.few)
        let outcome = await tail.call(PostgresCall(Statements.tail, arguments))
        guard case .rows(let rows) = outcome else {
            if case .failed(let error) = outcome { tellOnce("the log cannot be read: \(error)") }
            return nil
        }
        var told = entries(of: rows)
        let own = ownSingles(of: rows)
        if !own.isEmpty {
            var arguments = PostgresArguments()
            arguments.append(int8Array: own)
            guard case .rows(let rows) = await tail.call(PostgresCall(Statements.rows, arguments)) else { return nil }
            // The row that ends the reading stays the last one.
            told = (told.dropLast() + entries(of: rows)).sorted { $0.seq < $1.seq } + told.suffix(1)
        }
        return told.filter { $0.onlyForNodeOf.map(sessions.has) ?? true }
    }

    /// Of rows for single devices that a reading only names the positions of those that are for this node's.
    private func ownSingles(of rows: PostgresRows) -> [Int64] {
        guard rows.count > 0 else { return [] }
        do throws(PostgresShapeError) {
            guard let positions = try rows.array(rows.count - 1, 16, of: .int8)?.int8s(),
                let devices = try rows.array(rows.count - 1, 17, of: .int8)?.int8s()
            else { return [] }
            return zip(positions, devices).filter { sessions.has(UInt32(truncatingIfNeeded: $0.1)) }.map(\.0)
        } catch {
            options.log("the log names rows that cannot be read: \(error)")
            return []
        }
    }

    /// A row that nobody can read holds up nobody: it is left out, and told.
    private func entries(of rows: PostgresRows) -> [LogEntry] {
        (0..<rows.count).compactMap { row in
            do throws(PostgresShapeError) { return try LogEntry(rows, row) } catch {
                options.log("a row of the log cannot be read: \(error)")
                return (try? rows.position(row, 0)).map { LogEntry(nothingAt: $0) }
            }
        }
    }

    private func apply(_ entries: [LogEntry]) async {
        let details: LogDetails
        do throws(PostgresShapeError) { details = try await lookUp(entries) } catch {
            options.log("apps or organisations of the log cannot be read: \(error)")
            details = LogDetails()
        }
        var (mustConfirm, mustSettle) = (false, false)
        if let jump = entries.last(where: { $0.kind == .jump && $0.seq > head }) {
            figures.countSwitch()
            hasJumped = true
            nextExamination = 0
            await readAnew(after: jump.seq)
            // Whatever was told up to there.
            (mustConfirm, mustSettle) = (true, true)
        }
        // The row that ends a reading has the position of the one before it, which may be told.
        for entry in entries where entry.seq > head || !entry.isTold {
            head = max(head, entry.seq)
            guard entry.isTold else {
                if entry.status == 1 { mustConfirm = true }
                lastMembership = max(lastMembership, entry.lastMembership)
                continue
            }
            post(entry, details)
            if entry.kind.isAwaited { mustConfirm = true }
            // What follows from a change of a device goes by what it had acknowledged before.
            if entry.kind == .membership || entry.kind == .close { mustSettle = true }
        }
        if !entries.isEmpty {
            let (position, isAwaited, settling) = (head, mustConfirm, mustSettle)
            // Where no loop has joined yet, nobody has to apply it.
            if loops == 0 {
                loopsHaveApplied(position, isAwaited: isAwaited, settling: settling)
            } else {
                outbox.confirm(0) { [self] in
                    enter { $0.loopsHaveApplied(position, isAwaited: isAwaited, settling: settling) }
                }
            }
        }
        sendAnswers()
    }

    private func post(_ entry: LogEntry, _ details: LogDetails) {
        let position = Position(raw: entry.seq)
        switch entry.kind {
        case .message, .configuration, .reference: post(row: entry)
        case .ended: outbox.post(.ended(directory.tasks.id(of: entry.reference), at: position))
        case .membership:
            guard let ordinal = entry.device, let session = sessions[ordinal] else { return }
            online.move(ordinal, to: entry.membership.organisation.index)
            outbox.post(.membership(DeviceHandle(ordinal: ordinal), entry.membership, at: position), to: session.loop)
        case .organisation:
            let org = entry.target.shortID
            online.moveOrganisations()
            if entry.isRemoval { return directory.remove(org, at: entry.seq) }
            guard let found = details.organisations[org] else { return }
            directory.place(org, found.id, found.name, under: entry.within, at: entry.seq)
            outbox.post(.organisation(OrgHandle(index: org), parent: entry.within.map { OrgHandle(index: $0) }, at: position))
        case .close:
            guard let ordinal = entry.device else { return }
            if sessions.closeWhenClaimed(entry.session, entry.closeReason) { return }
            // Of one that nobody here has the end was not written, or the beginning not heard of.
            close(ordinal, entry.session, entry.closeReason)
        case .granted, .refused: if let ordinal = entry.device { settleWaiting(ordinal, entry) }
        case .app:
            guard let number = entry.app, let record = details.apps[number] else { return }
            directory.set(record)
            outbox.post(.app(record.app.key, record.isRemoved ? nil : record.app))
        case .inquiry: take(inquiry: entry)
        case .operatorChanged:
            let number = OperatorNumber(Int64(bitPattern: entry.reference))
            let changed = details.operators[number]
            if let changed { directory.operators.set(changed) } else { directory.operators.remove(number) }
            outbox.post(.operatorChanged(number, changed))
        case .operatorSession:
            let key = OperatorSessionKey(digest: entry.body)
            let session = details.operatorSessions[key]
            if let session { directory.operators.begin(session) } else { directory.operators.end(key) }
            outbox.post(.operatorSession(key, session))
        case .jump, .nothing: break
        }
    }

    /// Another primary: what this node has read may be more than what has lasted. It reads the directory anew, closes connections
    /// that the database does not have for its own, and has the loops read what they know again. What is said of single
    /// connections until then is in the log alone: that is told all the same.
    private func readAnew(after jump: UInt64) async {
        var told = head
        while !isClosing {
            do throws(PostgresShapeError) {
                if try await readDirectory(reaching: jump) {
                    // Before anything else is told: else the loops would take it that they have everything up to there.
                    outbox.leaveGap {}
                    if await tellOfConnections(after: &told), try await closeStrangers() { return }
                }
            } catch {
                options.log("the directory cannot be read: \(error)")
            }
            await bell.wait(atMost: options.rest)
        }
    }

    /// Tells what the log says of connections of this node, up to where the directory was read.
    private func tellOfConnections(after told: inout UInt64) async -> Bool {
        while told < head {
            guard let entries = await readLog(after: told) else { return false }
            // What may not be at the standby yet stands before the rest.
            if entries.isEmpty { return false }
            for entry in entries where entry.seq > told {
                told = entry.seq
                guard entry.isTold, entry.seq <= head else { continue }
                switch entry.kind {
                case .membership, .close, .granted, .refused, .inquiry: post(entry, LogDetails())
                default: break
                }
            }
        }
        return true
    }

    private func post(row entry: LogEntry) {
        guard let number = entry.app, let app = directory.appKeys[number] else { return }
        let row = entry.row(as: directory.tasks.id(of: entry.task), of: app)
        facts.learn(entry)
        if let ordinal = entry.device {
            if let session = sessions[ordinal] { outbox.post(.row(row), to: session.loop) }
        } else {
            outbox.post(.row(row))
        }
    }

    /// What of the entries is not in the log itself.
    private func lookUp(_ entries: [LogEntry]) async throws(PostgresShapeError) -> LogDetails {
        var details = LogDetails()
        var (apps, orgs): (Set<Int32>, Set<Int32>) = ([], [])
        var (operators, sessions): (Set<Int64>, Set<[UInt8]>) = ([], [])
        for entry in entries where entry.isTold {
            switch entry.kind {
            case .app: if let app = entry.app { apps.insert(app) }
            case .message, .configuration, .reference:
                if let app = entry.app, directory.appKeys[app] == nil { apps.insert(app) }
            case .organisation where !entry.isRemoval: orgs.insert(Int32(bitPattern: entry.target.shortID))
            case .operatorChanged: operators.insert(Int64(bitPattern: entry.reference))
            case .operatorSession: sessions.insert(entry.body)
            default: break
            }
        }
        if !apps.isEmpty, let rows = await look(Statements.apps, { $0.append(int4Array: Array(apps)) }) {
            for record in try AppRows(rows).records() {
                details.apps[record.number] = record
                if directory.appKeys[record.number] == nil { directory.set(record) }
            }
        }
        if !orgs.isEmpty, let rows = await look(Statements.organisations, { $0.append(int4Array: Array(orgs)) }) {
            for row in 0..<rows.count {
                details.organisations[UInt32(bitPattern: try rows.present4(row, 0))] =
                    (OrgID(unchecked: try rows.name(row, 1) ?? ""), try rows.name(row, 2) ?? "")
            }
        }
        if !operators.isEmpty, let rows = await look(Statements.operators, { $0.append(int8Array: Array(operators)) }) {
            for row in 0..<rows.count {
                if let found = try Operator(rows, row) { details.operators[found.number] = found }
            }
        }
        if !sessions.isEmpty, let rows = await look(Statements.operatorSessions, { $0.append(byteaArray: Array(sessions)) }) {
            for row in 0..<rows.count {
                let found = try OperatorSession(rows, row)
                details.operatorSessions[found.key] = found
            }
        }
        return details
    }

    private func look(_ statement: PostgresStatement, _ fill: (inout PostgresArguments) -> Void) async -> PostgresRows? {
        var arguments = PostgresArguments()
        fill(&arguments)
        // Nothing of the log is told without it: it is asked for again until it comes.
        while !isClosing {
            if case .rows(let rows) = await tail.call(PostgresCall(statement, arguments)) { return rows }
            await bell.wait(atMost: options.rest)
        }
        return nil
    }

    /// - Parameters:
    ///   - isAwaited: whether somebody may wait for it, here or at another node; otherwise the next renewal tells it.
    ///   - settling: whether what they had acknowledged is written before it is told.
    private func loopsHaveApplied(_ position: UInt64, isAwaited: Bool, settling: Bool) {
        followed = max(followed, position)
        if isAwaited { awaited = max(awaited, position) }
        if settling { unsettled = max(unsettled, position) }
        // A renewal tells it, too.
        if unsettled <= applied { applied = max(applied, followed) }
        guard !isTellingApplied, isAwaited || unsettled > applied else { return }
        isTellingApplied = true
        work { node in
            await node.tellApplied()
            node.isTellingApplied = false
        }
    }

    /// Tells how far all loops have followed the log, as long as somebody waits for it. Where acknowledgements have to be written
    /// first and cannot be, it is told later.
    private func tellApplied() async {
        var told: UInt64 = 0
        while !isClosing, told < awaited || applied < unsettled {
            let position = followed
            if applied < unsettled, await !writeFacts() {
                await Bell(on: loop).wait(atMost: options.rest)
                continue
            }
            applied = max(applied, position)
            told = position
            var arguments = PostgresArguments()
            arguments.append(int4: number)
            arguments.append(int8: Int64(bitPattern: applied))
            _ = await own.call(PostgresCall(Statements.apply, arguments))
        }
    }
}

/// What entries of the log are about, as the tables have it.
struct LogDetails {
    var apps: [Int32: DirectoryState.AppRecord] = [:]
    var organisations: [UInt32: (id: OrgID, name: String)] = [:]
    var operators: [OperatorNumber: Operator] = [:]
    var operatorSessions: [OperatorSessionKey: OperatorSession] = [:]
}

/// What goes on when the log has been read by a reading that began later.
struct AwaitedReading {
    /// The last reading that had begun before.
    let last: Int
    let since = ContinuousClock.now
    let goOn: () -> Void
    let giveUp: () -> Void
}
