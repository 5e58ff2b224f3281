internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// Lists of tasks, newest first.

extension StoreNode {
    func tasks(_ filter: TaskFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<TaskReport> {
        let before = after == nil ? Int64.max : try PageToken.number(after)
        await writeFacts()
        let rows = try await read(
            Statements.listTasks, arguments(filter, before: before, limit: limit), mostBytes: Self.mostBytesOfTasks)
        return try page(rows, limit, place: 32) { row throws(PostgresShapeError) in
            let found = try FoundTask(rows, row)
            let report = found.report(as: directory.tasks.id(of: found.row.seq), isOfOperator: filter.caller == nil)
            return (found.isOver(after: options.taskRetention) ? nil : report, Int64(bitPattern: found.row.seq))
        }
    }

    private func arguments(_ filter: TaskFilter, before: Int64, limit: Int) -> PostgresArguments {
        let app = filter.caller ?? filter.app
        var arguments = argumentsOfNow()
        arguments.append(name: filter.caller?.text)
        arguments.append(name: filter.app?.text)
        arguments.append(name: filter.organisation?.text)
        arguments.append(name: filter.scope?.text)
        arguments.append(name: filter.tag?.text)
        arguments.append(int8: app.flatMap { app in filter.tag.map { StableHash.of($0.text, of: app) } })
        arguments.append(name: filter.outBizNo?.text)
        arguments.append(int8: app.flatMap { app in filter.outBizNo.map { StableHash.of($0.text, of: app) } })
        arguments.append(int8: filter.from)
        arguments.append(int8: filter.to)
        arguments.append(int8: before)
        arguments.append(int4: Int32(clamping: limit))
        return arguments
    }
}
