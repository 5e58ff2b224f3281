import Push
import StoreCore

@testable import SQLiteStore

/// What a store shows of everything, read in few calls so that it can be done after every step.
struct StoreProbe: Sendable {
    struct TaskView: Sendable {
        let counts: Counts
        let status: TaskStatus
        let recipients: [RecipientState: [String]]
    }

    var tasks: [TaskView] = []
    /// What each device would get now: position and task.
    var pending: [String: [(position: Position, task: TaskID)]] = [:]

    /// Statements that somebody has forgotten to end.
    var busy: [String] = []

    /// - Parameter limit: of every page.
    static func take(
        _ port: any StorePort, tasks: [TaskID], lists: Set<Int>, devices: [String], limit: Int
    ) async throws -> StoreProbe {
        guard let port = port as? LoopPort else { throw UnexpectedAnswer(answer: "another store") }
        let cursors = try await port.ask(flushes: true) { decisions, _ throws(SQLiteError) in
            var found: [(token: String, ordinal: UInt32, cursor: UInt64, beyond: [UInt64])] = []
            for token in devices {
                guard let device = try decisions.tables.devices.find(DeviceToken(unchecked: token)) else { continue }
                found.append(
                    (
                        token, device.ordinal, try decisions.cursors.cursor(of: device.ordinal),
                        try decisions.cursors.positionsBeyond(device.ordinal)
                    ))
            }
            return found
        }
        var probe = StoreProbe()
        probe.tasks = try await port.read(port.store.reports) { context throws(SQLiteError) in
            var views: [TaskView] = []
            for (index, task) in tasks.enumerated() {
                views.append(try view(of: task, lists: lists.contains(index), context, limit))
            }
            return views
        }
        probe.pending = try await port.read(port.store.pages) { context throws(SQLiteError) in
            var all: [String: [(position: Position, task: TaskID)]] = [:]
            for device in cursors {
                let view = context.tail.view
                let query = PendingQuery(tables: context.tables, view: view, now: context.clock())
                var after = device.cursor
                var rows: [(position: Position, task: TaskID)] = []
                while let page = try query.rows(for: device.ordinal, after: after, limit: limit), page.lookedUpTo > after {
                    after = page.lookedUpTo
                    for row in page.rows where !device.beyond.contains(row.seq) {
                        rows.append((Position(raw: row.seq), context.tasks.id(of: row.row.seq)))
                    }
                }
                all[device.token] = rows
            }
            return all
        }
        probe.busy = try await port.ask { decisions, _ throws(SQLiteError) in decisions.tables.database.busyStatements }
        for reader in [port.store.reports, port.store.pages] {
            probe.busy += try await port.read(reader) { context throws(SQLiteError) in context.database.busyStatements }
        }
        return probe
    }

    private static func view(
        of task: TaskID, lists: Bool, _ context: Reader.Context, _ limit: Int
    ) throws(SQLiteError) -> TaskView {
        let now = context.clock()
        let reader = ReportReader(context: context, now: now)
        guard let row = try reader.row(of: task, to: nil) else { throw SQLiteError(code: 0, message: "no task \(task)") }
        let report = try reader.report(row)
        var recipients: [RecipientState: [String]] = [:]
        if lists {
            for state in RecipientState.allCases {
                var after: PageToken?
                repeat {
                    let list = RecipientReader(context: context, now: now)
                    guard let page = try list.page(of: row, state: state, after: after, limit: limit) else {
                        throw SQLiteError(code: 0, message: "refused token \(after?.text ?? "")")
                    }
                    if !page.items.isEmpty { recipients[state, default: []] += page.items.map(\.device.text) }
                    after = page.next
                } while after != nil
            }
        }
        return TaskView(counts: report.counts, status: report.status, recipients: recipients.mapValues { $0.sorted() })
    }
}
