internal import Push
internal import StoreCore

/// Everything that decides, and what it decides by. Lives on the writer's thread, inside its transaction; jobs are handed it.
///
/// What it holds in memory is what the file holds, plus facts that are written some times a second. After a transaction that
/// failed it is read again from the file.
final class Decisions {
    let tables: Tables
    let time: Timekeeper
    /// The numbers of tasks.
    let numbers: TaskNumber
    // What decisions look at and change.
    let log: MessageLog
    let directory: DirectoryMemory
    let operators: OperatorMemory
    let facts: FactBook
    let sessions: SessionRegistry
    let organisations: PublishedOrganisations
    let outbox: Outbox
    let inquiries: Inquiries
    let nonces: NonceBook
    let quotas: QuotaBook
    let audit: AuditBook
    /// What is given up.
    let faults: Faults
    // Who decides.
    let pushes: PushDecider
    let tasks: TaskDecider
    let events: EventDecider
    let connections: SessionDecider
    let changes: DirectoryDecider
    let operatorChanges: OperatorDecider
    let scopes: ScopeDecider
    let records: AuditedRecords
    /// What changes of the directory have still to do, who does it, and how much of it a transaction may do.
    let followUps: FollowUps
    let followUp: FollowUpDecider
    let budget = StepBudget()
    /// Imports that go on between transactions.
    let imports: Imports
    let refusals: RefusalCounter

    var cursors: CursorBook { facts.cursors }
    var receipts: ReceiptBook { facts.receipts }

    init(
        _ tables: Tables, _ time: Timekeeper, tail: Tail, head: UInt64, tasks numbers: TaskNumber,
        organisations: PublishedOrganisations, gate: AcknowledgementGate, tuning: SQLiteStore.Tuning,
        quota: PushQuota, figures: AuditFigures,
        log tell: @escaping @Sendable (String) -> Void
    ) throws(SQLiteError) {
        self.tables = tables
        self.time = time
        self.numbers = numbers
        log = try MessageLog(tables, tail: tail, head: head)
        directory = try DirectoryMemory(tables)
        operators = try OperatorMemory(tables.operators)
        sessions = SessionRegistry(directory)
        self.organisations = organisations
        organisations.publish(directory.tree)
        faults = Faults(log: tell)
        facts = FactBook(
            CursorBook(tables.cursors, faults), ReceiptBook(tables.receipts, tables.events, tables.totals, gate, faults), gate,
            faults, tuning)
        outbox = Outbox(of: theLane, backlogLimit: tuning.backlogLimit)
        inquiries = Inquiries(outbox)
        let feed = Feed(outbox, sessions, numbers)
        let receipts = facts.receipts

        tasks = TaskDecider(tables, log, directory, receipts, feed, numbers)
        nonces = try NonceBook(tables.nonces)
        quotas = QuotaBook(tables.quotas, usual: quota)
        let configurations = ConfigurationDecider(tables, log, directory, receipts, feed, tasks)
        scopes = ScopeDecider(operators, directory, tables)
        records = AuditedRecords(directory, operators, tables)
        pushes = PushDecider(
            tables, time, log, directory, receipts, feed, configurations, numbers, nonces, quotas, scopes, sessions)
        events = EventDecider(tables, receipts, tasks, faults)
        connections = SessionDecider(tables.devices, time, log, facts.cursors, sessions, outbox, feed, inquiries)
        followUps = try FollowUps(tables.followUps, facts)
        followUp = FollowUpDecider(
            tables, log, directory, facts, configurations, tasks, followUps, numbers, budget, faults)
        changes = DirectoryDecider(
            directory, scopes, apps: AppDecider(tables.apps, directory, feed),
            organisations: OrganisationDecider(tables, log, directory, operators, configurations, feed, followUps),
            devices: DeviceDecider(tables, log, directory, facts, sessions, configurations, feed, followUps), followUp, budget)
        operatorChanges = OperatorDecider(operators, directory, time, feed)
        imports = try Imports(tables, time, changes, outbox)
        audit = AuditBook(tables.audit, time, AuditedTargets(directory, tables, tasks, faults), faults, figures)
        refusals = RefusalCounter(tables.refusals, time)
    }
}

extension Decisions {
    /// Uses the nonce of an app's request up, if it has one.
    func use(_ nonce: UsedNonce?, of app: AppKey?, at now: Int64) throws(SQLiteError) -> Result<Void, Refusal> {
        guard let nonce, let app else { return .success(()) }
        return try decided { try nonces.take(nonce, of: app, at: now, wall: now + time.wallOffset) }
    }
}

/// Runs a decision of which a part may refuse, and tells a refusal from the file's failing.
func decided<Value>(_ decide: () throws -> Value) throws(SQLiteError) -> Result<Value, Refusal> {
    do {
        return .success(try decide())
    } catch let refusal as Refusal {
        return .failure(refusal)
    } catch let error as SQLiteError {
        throw error
    } catch {
        throw SQLiteError(code: 1, message: "\(error)")
    }
}
