internal import Push
internal import StoreCore

/// Lines of an import that are decided together and written by one call. None of them depends on what another one does: so each
/// is decided as if it were alone, after all before it.
struct ImportBatch {
    private(set) var lines: [ImportLines.Line] = []
    /// What is left of the part behind them.
    private(set) var rest: ImportLines

    /// What lines that go together are about.
    private enum Kind { case devices, newOrganisations, anything }

    /// Takes the next lines, as far as they can go together.
    /// - Parameter tree: the organisations that there are.
    init(from lines: ImportLines, atMost limit: Int, _ tree: OrgTree) {
        rest = lines
        var kind: Kind?
        var tokens: Set<DeviceToken> = []
        var organisations: Set<OrgID> = []
        while self.lines.count < limit {
            var next = rest
            guard let line = next.next() else {
                // Blank lines may be left.
                rest = next
                return
            }
            if case .success(let change) = line.change {
                let own = Self.kind(of: change, tree)
                if let kind, kind != own || own == .anything { return }
                if let token = change.token, !tokens.insert(token).inserted { return }
                if case .putOrganisation(let id, let fields) = change, own == .newOrganisations {
                    if case .set(let parent) = fields.parent, organisations.contains(parent) { return }
                    if !organisations.insert(id).inserted { return }
                }
                kind = own
            }
            self.lines.append(line)
            rest = next
        }
    }

    private static func kind(of change: DirectoryChange, _ tree: OrgTree) -> Kind {
        switch change {
        case .putDevice, .removeDevice: .devices
        case .putOrganisation(let id, _) where tree[id] == nil: .newOrganisations
        default: .anything
        }
    }

    var changes: [DirectoryChange] { lines.compactMap { try? $0.change.get() } }
}

/// How many lines a call takes: so many that it keeps others from the lane for about a millisecond and a half.
///
/// Most of what a call takes it takes for any number of lines, and where the machine has other work one call takes several times
/// as long as the next. So what some calls have usually taken counts: single ones would bring it down to few lines, for nothing.
struct ImportPace {
    /// In microseconds.
    private static let budget: Int64 = 1_500
    /// So much is no chance: others would wait for too long.
    private static let excess: Int64 = 4 * budget
    /// Fewer would hardly take less.
    private static let sizes = 16...512
    /// How many calls are compared.
    private static let window = 8

    private(set) var size = 32
    /// How long others are left to themselves after the last call: as long as it has held the lane.
    private(set) var pause = Duration.zero
    /// What the last calls have taken, of this size.
    private var recent: [Int64] = []

    /// A call of so many lines has held the lane for so long, in microseconds; 0: it had nothing to write.
    mutating func finished(_ count: Int, held: Int64) {
        pause = .microseconds(held)
        if held > Self.excess { return shrink(to: min(size, count) / 2) }
        // The last lines of a part are few, and lines that change nothing tell nothing of others.
        guard held > 0, count > size / 2 else { return }
        recent.append(held)
        guard recent.count == Self.window else { return }
        let usual = recent.sorted()[(Self.window - 1) / 2]
        let fitting = Int(Int64(size) * Self.budget / usual)
        if fitting < size {
            shrink(to: max(fitting, size / 2))
        } else {
            size = min(fitting, size + size / 4, Self.sizes.upperBound)
        }
        recent = []
    }

    private mutating func shrink(to size: Int) {
        self.size = max(size, Self.sizes.lowerBound)
        recent = []
    }
}
