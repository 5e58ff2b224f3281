internal import Push

/// The operators and their sessions as the operators' front knows them: seeded from the store's snapshot, kept true by the feed.
/// So a request is judged by its head, without asking anyone.
struct KnownOperators {
    private var operators: [OperatorNumber: Operator] = [:]
    private var numbers: [OperatorName: OperatorNumber] = [:]
    private var sessions: [OperatorSessionKey: OperatorSession] = [:]
    /// What the feed told before the snapshot at which it began was handed in: newer than that; `nil` from then on.
    private var early: [Entry]? = []

    /// Begins with the snapshot at which the feed began; what the feed has told since is newer.
    mutating func seed(with snapshot: DirectorySnapshot) {
        guard let early else { return }
        replace(with: snapshot)
        for entry in early { apply(entry) }
    }

    /// Begins anew with everything that the store has.
    mutating func replace(with snapshot: DirectorySnapshot) {
        operators = Dictionary(snapshot.operators.map { ($0.number, $0) }) { _, last in last }
        numbers = Dictionary(snapshot.operators.map { ($0.name, $0.number) }) { _, last in last }
        sessions = Dictionary(snapshot.operatorSessions.map { ($0.key, $0) }) { _, last in last }
        early = nil
    }

    /// Takes what the feed tells, if it is of operators.
    /// - Returns: whether it is.
    @discardableResult
    mutating func apply(_ entry: Entry) -> Bool {
        switch entry {
        case .operatorChanged(let number, let changed): set(number, changed)
        case .operatorSession(let key, let session): sessions[key] = session
        default: return false
        }
        early?.append(entry)
        return true
    }

    private mutating func set(_ number: OperatorNumber, _ changed: Operator?) {
        if let changed {
            numbers[changed.name] = number
        } else if let name = operators[number]?.name, numbers[name] == number {
            numbers[name] = nil
        }
        operators[number] = changed
    }

    /// Who has that name now.
    subscript(name: OperatorName) -> Operator? { numbers[name].flatMap { operators[$0] } }
    subscript(number: OperatorNumber) -> Operator? { operators[number] }

    /// Whose session that is.
    /// - Parameter now: store time.
    /// - Returns: `nil` where it is nobody's, or nobody's any more.
    func holder(of key: OperatorSessionKey, at now: Int64) -> Operator? {
        guard let session = sessions[key], session.expires > now, let found = operators[session.holder], !found.disabled else {
            return nil
        }
        return found
    }

    func session(_ key: OperatorSessionKey) -> OperatorSession? { sessions[key] }

    /// An operator's sessions, oldest first.
    func sessions(of holder: OperatorNumber, at now: Int64) -> [OperatorSession] {
        sessions.values.filter { $0.holder == holder && $0.expires > now }
            .sorted { ($0.createdAt, $0.id.text) < ($1.createdAt, $1.id.text) }
    }

    /// Some of them, by name.
    func page(after: PageToken?, limit: Int) -> Page<Operator> {
        let rest = operators.values.filter { after == nil || $0.name.text > after?.text ?? "" }.sorted {
            $0.name.text < $1.name.text
        }
        let items = Array(rest.prefix(limit))
        return Page(items: items, next: rest.count > limit ? items.last.map { PageToken($0.name.text) } : nil)
    }
}
