public import Postgres
public import Push

/// All hosts that a database's address names, each asked by itself: a node uses the one that takes writes, and what is wrong with
/// another one shows only when that has become the primary.
public struct DatabaseHosts: Sendable {
    /// In the address's order.
    public let all: [DatabaseHost]
    /// How many nodes live by the primary's account; `nil` where no host could tell.
    public let nodes: Int?
    /// What is to be done about the primary's tables; `nil` where they are those of this program, or nobody could look.
    public let unfitTables: BilingualText?

    init(_ all: [DatabaseHost], nodes: Int?, unfitTables: BilingualText?) {
        (self.all, self.nodes, self.unfitTables) = (all, nodes, unfitTables)
    }

    /// Asks them at the same time. A host that does not answer has as long as a node gives it, and a standby that has not
    /// received everything some seconds to do so.
    public init(of database: PostgresOptions) async {
        let hosts = await Self.each(await database.address.places()) { name, addresses in
            let questions = addresses.map { HostQuestion(of: database, at: $0) }
            return Self.distinct(await Self.each(questions) { ($0, await $0.answer()) }, of: name)
        }
        let asked = hosts.flatMap(\.self)
        let primaries = asked.filter { $0.host.standing?.isStandby == false }
        guard let (question, primary) = primaries.first, let standing = primary.standing,
            primaries.allSatisfy({ $0.host.standing?.isSameServer(as: standing) == true })
        else {
            self.init(asked.map(\.host), nodes: nil, unfitTables: nil)
            return
        }
        let (nodes, unfitTables) = await question.store()
        // Of the primary behind the standbys: who has more than that has followed another one.
        let end = await question.place()?.position
        let compared = await Self.each(asked) { question, host in
            let host = await question.compared(host, with: standing, notBeyond: end)
            return (question, host)
        }
        // Behind them: one that was not connected at first is by now.
        let counted = await Self.each(compared) { question, host in
            guard var standing = host.standing else { return host }
            standing.readers = await question.readers()
            return DatabaseHost(name: host.name, answer: .standing(standing))
        }
        self.init(counted, nodes: nodes, unfitTables: unfitTables)
    }

    private typealias Asked = (question: HostQuestion, host: DatabaseHost)

    /// What a name's addresses have told, without those that lead to a server of which another has told already. A node takes the
    /// one that answers: so those that do not are left out where one does.
    private static func distinct(_ asked: [Asked], of name: String) -> [Asked] {
        var found: [Asked] = []
        for each in asked {
            guard let standing = each.host.standing else { continue }
            if !found.contains(where: { $0.host.standing.map(standing.isSameServer) ?? false }) { found.append(each) }
        }
        if found.isEmpty { found = Array(asked.prefix(1)) }
        if found.count == 1 { found[0].host.name = name }
        return found
    }

    /// Does something with each at the same time.
    private static func each<Element: Sendable, Result: Sendable>(
        _ elements: [Element], _ body: @escaping @Sendable (Element) async -> Result
    ) async -> [Result] {
        await withTaskGroup(of: (index: Int, result: Result).self) { group in
            for (index, element) in elements.enumerated() { group.addTask { (index, await body(element)) } }
            let results = await group.reduce(into: []) { $0.append($1) }
            return results.sorted { $0.index < $1.index }.map(\.result)
        }
    }
}
