import Base
import Push
import StoreContract

/// Everything that a store tells of what it holds, a line for each thing: two that hold the same tell the same.
struct Told {
    private(set) var lines: [String] = []
    private let port: any StorePort
    private let isOfOnePast: Bool

    /// - Parameters:
    ///   - loop: the port's own.
    ///   - isOfOnePast: whether both have done the same and nothing since: then positions are the same, too, and so are the nodes
    ///     that entries name.
    static func lines(
        by port: any StorePort, _ loop: TestLoop, ofOnePast isOfOnePast: Bool = true
    ) async throws -> [String] {
        var told = Told(port: port, isOfOnePast: isOfOnePast)
        try await told.tellDirectory(try await loop.follow(port))
        try await told.tellTasks()
        try await told.tellOthers()
        // Last, since a device that connects is seen then.
        try await told.tellPending()
        return told.lines
    }

    private init(port: any StorePort, isOfOnePast: Bool) {
        self.port = port
        self.isOfOnePast = isOfOnePast
    }

    private mutating func tell(_ what: String, _ value: Any) { lines.append("\(what): \(value)") }

    private func apps() async throws -> [App] {
        try await port.all { after throws(StoreError) in try await port.apps(after: after, limit: 3) }
    }

    private func organisations() async throws -> [Organisation] {
        try await port.all { after throws(StoreError) in try await port.organisations(after: after, limit: 3) }
    }

    private func devices(_ filter: DeviceFilter = DeviceFilter()) async throws -> [Device] {
        try await port.all { after throws(StoreError) in try await port.devices(filter, after: after, limit: 3) }
    }

    private func tasks(_ filter: TaskFilter = TaskFilter()) async throws -> [TaskReport] {
        try await port.all { after throws(StoreError) in try await port.tasks(filter, after: after, limit: 3) }
    }

    // MARK: The directory

    private mutating func tellDirectory(_ snapshot: DirectorySnapshot) async throws {
        for app in try await apps() {
            // A set has no order.
            var plain = app
            plain.interfaces = []
            tell("app", (plain, app.interfaces.contains(.message), app.interfaces.contains(.configuration)))
        }
        for organisation in try await organisations() {
            tell("organisation", organisation)
            tell("its devices", try await devices(DeviceFilter(organisation: organisation.id)).map(\.token.text))
            tell("those below it", try await devices(DeviceFilter(scope: organisation.id)).map(\.token.text))
        }
        for device in try await devices() {
            tell("device", device)
            if let user = device.user { tell("its user's", try await devices(DeviceFilter(user: user)).map(\.token.text)) }
        }
        for one in snapshot.operators.sorted(by: { $0.number.value < $1.number.value }) { tell("operator", one) }
        for session in snapshot.operatorSessions.sorted(by: { $0.createdAt < $1.createdAt }) { tell("session", session) }
    }

    // MARK: Tasks

    private mutating func tellTasks() async throws {
        let (all, devices) = (try await tasks(), try await devices())
        for task in all {
            tell("task", task)
            for state in RecipientState.allCases {
                let recipients = try await port.all { after throws(StoreError) in
                    try await port.recipients(of: task.task, to: nil, state: state, after: after, limit: 3)
                }
                tell("\(state) of \(task.task)", recipients.sorted { "\($0)" < "\($1)" })
            }
            tell("as an operator sees it", try await port.report(task.task, to: nil, within: nil))
            for device in devices {
                let told = try await port.explain(task.task, to: device.token, patience: .seconds(5))
                tell(
                    "\(task.task) at \(device.token)", (told.standing, told.state, told.detail, told.membership, told.wait?.ahead)
                )
            }
        }
        for organisation in try await organisations() {
            for filter in [TaskFilter(organisation: organisation.id), TaskFilter(scope: organisation.id)] {
                tell("tasks of \(organisation.id)", try await tasks(filter).map(\.task))
            }
        }
        for app in try await apps() {
            tell("tasks of \(app.key)", try await tasks(TaskFilter(app: app.key)).map(\.task))
            tell("its own", try await tasks(TaskFilter(caller: app.key)).map(\.task))
            for tag in Set(all.compactMap(\.tag)).sorted(by: { $0.text < $1.text }) {
                tell("\(tag) of \(app.key)", try await tasks(TaskFilter(app: app.key, tag: tag)).map(\.task))
                for cut in [nil] + all.map(\.createdAt) {
                    tell(
                        "sums of \(tag) up to \(cut ?? 0)", try await port.totals(app: app.key, tag: tag, from: nil, to: cut))
                }
            }
            for number in 0..<8 {
                let filter = TaskFilter(app: app.key, outBizNo: ExactText("order-\(number)"))
                tell("order \(number) of \(app.key)", try await tasks(filter).map(\.task))
            }
        }
        for task in all {
            tell("since \(task.createdAt)", try await tasks(TaskFilter(from: task.createdAt)).map(\.task))
            tell("before \(task.createdAt)", try await tasks(TaskFilter(to: task.createdAt)).map(\.task))
        }
    }

    // MARK: Operators and imports

    private mutating func tellOthers() async throws {
        let entries = try await entries { _ in }
        for record in entries {
            tell("entry", (record.number, record.time, record.entry))
            if isOfOnePast { tell("at node", record.node as Any) }
        }
        for target in Set(entries.compactMap(\.entry.target?.id)).sorted() {
            tell("entries of \(target)", try await self.entries { $0.target = target }.map(\.number))
        }
        for task in Set(entries.compactMap(\.entry.task)).sorted() {
            tell("entries of \(task)", try await self.entries { $0.task = task }.map(\.number))
        }
        for time in Set(entries.map(\.time)).sorted() {
            tell("entries since \(time)", try await self.entries { $0.from = time }.map(\.number))
        }
        for organisation in try await organisations() {
            let confined = OperatorCall(
                .named(
                    OperatorIdentity(OperatorNumber(77), OperatorName(unchecked: "nobody")),
                    Authority(.viewer, in: organisation.id)), client: nil,
                requestID: "r")
            tell("entries that \(organisation.id) sees", try await self.entries(by: confined) { _ in }.map(\.number))
        }
        let refusals = try await port.refusals(RefusalFilter(), after: nil, limit: 100).items
        tell("refusals", refusals.sorted { "\($0)" < "\($1)" })
        let imports = try await port.imports(by: nil, after: nil, limit: 100).items
        for found in imports { tell("import", try await port.importReport(found.id, by: nil)) }
        tell("imports", imports)
    }

    private func entries(
        by call: OperatorCall = .installation, _ choose: (inout AuditFilter) -> Void
    ) async throws -> [AuditRecord] {
        var filter = AuditFilter()
        choose(&filter)
        let chosen = filter
        return try await port.all { after throws(StoreError) in try await port.audit(chosen, after: after, limit: 3, by: call) }
    }

    // MARK: What is pending

    private mutating func tellPending() async throws {
        for device in try await devices() {
            let backlog = try await port.backlog(of: device.token, patience: .seconds(5))
            tell("backlog of \(device.token)", backlog)
            let session = try await port.connect(device.token.text)
            if isOfOnePast { tell("begins at", (session.attached.settledUpTo, session.attached.settledBeyond)) }
            for row in try await session.read(limit: 3) {
                tell("pending at \(device.token)", (row.task, row.target, row.audience, row.expires, row.topic))
                if isOfOnePast { tell("where it stands", row.position) }
                tell("its payload", String(decoding: row.payload, as: UTF8.self))
            }
            session.disconnect()
        }
    }
}
