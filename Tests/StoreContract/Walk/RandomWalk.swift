import Base
internal import Push

/// Where a store and the model of the rules differ.
public struct Mismatch: Error, CustomStringConvertible {
    /// The difference, and the steps that led there.
    public let description: String
}

/// Drives a store and the model side by side, by both of the store's ports, and compares them after every step.
///
/// Every step looks at all counts; at the devices and lists of a few tasks, and of all now and then.
public final class RandomWalk {
    struct Connection {
        let device: DeviceSession
        let loop: TestLoop
        let holder: Model.Holder
        var lastSettled: [Row] = []
    }

    let seed: UInt64
    let fixture: ContractFixture
    let model: Model
    var random: SplitMix
    var connections: [Connection] = []
    var steps: [String] = []

    /// What it asks of a store.
    public static let needs: [Capability] = [
        .standingClock, .restart, .configurations, .holders, .scopes, .lifetimes,
    ]

    /// A walk that is the same for the same seed, as far as the store's own threads let it.
    public init(_ kind: StoreKind, seed: UInt64) async throws {
        self.seed = seed
        random = SplitMix(seed: seed)
        fixture = try await kind.open(variation: random.next())
        model = Model(now: try await fixture.now)
        for (id, parent) in [("o0", nil), ("o1", "o0"), ("o2", "o0"), ("o3", "o1")] as [(String, String?)] {
            try await fixture.port.makeOrg(id, under: parent)
            model.orgs[id] = Model.Org(id, parent.flatMap { model.orgs[$0] })
        }
        try await fixture.port.makeApp("all")
        try await fixture.other.makeApp("part", scope: "o1")
        model.apps = [AppKey(unchecked: "all"), AppKey(unchecked: "part")]
        model.scopes[AppKey(unchecked: "part")] = "o1"
    }

    /// So many steps.
    /// - Throws: ``Mismatch``, with the steps that led there.
    public func run(_ count: Int) async throws {
        for number in 1...count {
            steps.append(try await change())
            try await compare(everything: number % 20 == 0 || number == count)
        }
    }

    // MARK: Chance

    func pick<T>(_ all: [T]) -> T? { all.randomElement(using: &random) }
    func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }

    /// One of the two.
    var anyPort: any StorePort { chance(50) ? fixture.port : fixture.other }
    var sortedOrgs: [Model.Org] { model.orgs.values.sorted { $0.id < $1.id } }
    var sortedHolders: [Model.Holder] { model.holders.values.sorted { $0.token < $1.token } }

    /// What differs, with the way that led there.
    func mismatch(_ what: String) -> Mismatch {
        let way = (["seed \(seed)"] + steps.suffix(60)).joined(separator: "\n")
        return Mismatch(description: "\(fixture.kind): \(what)\nthe last steps:\n\(way)")
    }

    func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {
        if !condition { throw mismatch(message()) }
    }
}
