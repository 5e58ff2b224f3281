internal import Push
internal import StoreCore

/// Lists of tasks, newest first. A page looks at a bounded number of rows, so that it may hold fewer tasks than asked, even none.
struct TaskListReader {
    let reports: ReportReader
    /// The tail as of the snapshot.
    let view: Tail.View
    /// Outside of which there is no task.
    let scope: ScopeView?

    /// Rows that one page looks at.
    private static let scan = 5_000
    /// As how many rows each device counts that is looked at to find out whether a row is inside of a scope.
    private static let judgement = 10
    /// As how many rows the search for those of a stretch counts.
    private static let search = 50

    private var tables: Tables { reports.context.tables }

    func page(_ filter: TaskFilter, before: UInt64, limit: Int) throws(SQLiteError) -> Page<TaskReport> {
        let apps = try numbers(ofApps: filter)
        let orgs = try filter.organisation.map { id throws(SQLiteError) in try tables.organisations.numbers(everOf: id) }
        let window = CreationWindow(messages: tables.messages, from: filter.from, to: filter.to)
        var (looked, last, isAtEnd) = (0, before, false)
        var found: [UInt64] = []
        func look(_ heading: MessageTable.Heading) throws(SQLiteError) -> Bool {
            looked += 1
            last = heading.seq
            let isOfApp = apps?.contains(heading.app) ?? true
            let isToOrg = orgs.map { heading.target.kind == .organisation && $0.contains(heading.target.id) } ?? true
            guard !heading.isReference, heading.isNamed, isOfApp, isToOrg else { return true }
            if let scope {
                var devices = 0
                let isInside = try tables.isInside(heading.target, at: heading.seq, looked: &devices, scope.contains)
                looked += devices * Self.judgement
                guard isInside else { return looked < Self.scan }
            }
            found.append(heading.seq)
            return found.count < limit && (scope == nil || looked < Self.scan)
        }
        while looked < Self.scan, found.count < limit {
            guard let stretch = try window.positions(before: last) else {
                isAtEnd = true
                break
            }
            last = stretch.found.upperBound
            var isWhole = true
            if let apps, let candidates = try candidates(filter, apps, in: stretch.found) {
                isWhole = candidates.count < Self.scan
                for seq in candidates {
                    last = seq
                    guard let heading = try tables.messages.heading(seq, filter.tag, filter.outBizNo) else { continue }
                    guard try look(heading) else {
                        isWhole = false
                        break
                    }
                }
            } else {
                try tables.messages.forEachHeading(
                    in: stretch.found, limit: Self.scan - looked, filter.tag, filter.outBizNo, look)
                isWhole = looked < Self.scan
            }
            if isWhole && found.count < limit { last = stretch.begin }
            looked += Self.search
        }
        var items: [TaskReport] = []
        for seq in found {
            guard let row = try tables.messages.row(seq) else { continue }
            items.append(try reports.report(row, isOfOperator: filter.caller == nil))
        }
        return Page(items: items, next: isAtEnd ? nil : PageToken(String(last)))
    }

    /// An operator who names an app means every one that ever had the key; a caller is the one that has it now.
    private func numbers(ofApps filter: TaskFilter) throws(SQLiteError) -> Set<Int64>? {
        if let caller = filter.caller { return try tables.apps.number(of: caller).map { [$0] } ?? [] }
        return try filter.app.map { key throws(SQLiteError) in try tables.apps.numbers(everOf: key) }
    }

    /// Those of the positions, newest first, that the indexes know for `out_biz_no` or tag; `nil` where neither is asked for.
    private func candidates(_ filter: TaskFilter, _ apps: Set<Int64>, in positions: Range<UInt64>) throws(SQLiteError)
        -> [UInt64]?
    {
        var found: [UInt64] = []
        for app in apps {
            if let hash = filter.outBizNo.map({ StableHash.of($0.text) }) {
                found += try tables.indexes.positions(ofApp: app, bizHash: hash)
                for generation in view.generations { found += generation.positions(ofApp: app, bizHash: hash) }
            } else if let tag = filter.tag {
                found += try tables.indexes.positions(ofApp: app, tag: tag, before: positions.upperBound, limit: Self.scan)
                for generation in view.generations {
                    found += generation.positions(
                        ofApp: app, tag: tag, after: 0, before: positions.upperBound, limit: Int.max)
                }
            } else {
                return nil
            }
        }
        // What the index has taken over may still be in the tail; what came after the snapshot has no row in it.
        return Array(Set(found).filter { positions.contains($0) && $0 <= view.head }.sorted(by: >).prefix(Self.scan))
    }
}
