import Base
import Push
import TestKit
import Testing

@testable import Gateway

@Suite("Random histories: each device gets exactly what concerns it, in order")
struct DispatcherModelTests {
    @Test("with a feed that lags, late pages, slow devices, moves, ends and gaps", arguments: UInt64(1)...120)
    func randomHistory(seed: UInt64) {
        var history = RandomHistory(seed: seed)
        history.run(steps: 600)
        history.simulation.settleDown()
        history.simulation.checkComplete()
    }
}

/// What happens, drawn at random.
struct RandomHistory {
    var random: SplitMix
    var simulation: Simulation
    private var organisations: [OrgID] = []
    private var devices: [DeviceToken] = []
    private let users = (0..<4).map { UserID(unchecked: "u\($0)") }
    private var tasks: [TaskID] = []
    private var nextDevice = 0

    init(seed: UInt64) {
        random = SplitMix(seed: seed)
        // Small rings are left behind often, large ones serve often.
        let ring = [2_000, 8_000, 64_000].randomElement(using: &random) ?? 8_000
        let direct = [0, 0, 2, 128].randomElement(using: &random) ?? 0
        simulation = Simulation(window: Int.random(in: 1...6, using: &random), ringBytes: ring, direct: direct)
        simulation.scan = [2, 7, Int.max].randomElement(using: &random) ?? .max
        for index in 0..<6 {
            let id = OrgID(unchecked: "o\(index)")
            let parent = organisations.randomElement(using: &random)
            simulation.change { $0.putOrganisation(id, below: parent) }
            organisations.append(id)
        }
        for _ in 0..<8 { register() }
    }

    mutating func run(steps: Int) {
        for _ in 0..<steps { step() }
    }

    private mutating func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<14: push()
        case 14..<34: simulation.applyNext()
        case 34..<44: simulation.visit(Int.random(in: 1...3, using: &random))
        case 44..<54: simulation.request(atMost: Int.random(in: 1...3, using: &random))
        case 54..<66: arrive()
        case 66..<80: acknowledge()
        case 80..<82: simulation.handOver()
        case 82: simulation.visitBlocked(Int.random(in: 1...12, using: &random))
        case 83..<88: connect()
        case 88..<90: devices.randomElement(using: &random).map { simulation.disconnect($0) }
        case 90..<94: move()
        case 94: reparent()
        case 95..<98: end()
        case 98: remove()
        default: Bool.random(using: &random) ? simulation.gap() : simulation.applyAll()
        }
    }

    private mutating func push() {
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let audience = Audience(
                testOnly: Int.random(in: 0..<6, using: &random) == 0, withoutIOS: Int.random(in: 0..<6, using: &random) == 0,
                within: Int.random(in: 0..<5, using: &random) == 0
                    ? organisations.randomElement(using: &random).flatMap { simulation.log.handle(of: $0) } : nil)
            let target: PushRequest.Target? =
                switch Int.random(in: 0..<4, using: &random) {
                case 0: devices.randomElement(using: &random).map { .device($0) }
                case 1: users.randomElement(using: &random).map { .user($0) }
                default: organisations.randomElement(using: &random).map { .organisation($0) }
                }
            guard let target else { continue }
            let expires: Int64? = Int.random(in: 0..<20, using: &random) == 0 ? simulation.now : nil
            // Now and then a second row of a task, as joining makes them.
            let task = Int.random(in: 0..<10, using: &random) == 0 ? tasks.randomElement(using: &random) : nil
            let known = task.map { simulation.log.endedAt[$0] != nil } ?? true
            tasks.append(simulation.append(to: target, task: known ? nil : task, audience: audience, expires: expires).task)
        }
    }

    private mutating func arrive() {
        guard !simulation.pages.isEmpty else { return }
        simulation.arrive(Int.random(in: 0..<simulation.pages.count, using: &random))
    }

    private mutating func acknowledge() {
        guard let token = simulation.clients.keys.sorted(by: { $0.text < $1.text }).randomElement(using: &random) else { return }
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            guard let count = simulation.clients[token]?.unacknowledged.count, count > 0 else { return }
            simulation.acknowledge(token, Bool.random(using: &random) ? 0 : Int.random(in: 0..<count, using: &random))
        }
    }

    private mutating func connect() {
        guard let token = devices.randomElement(using: &random) else { return }
        simulation.connect(token, receiveMaximum: Bool.random(using: &random) ? .max : Int.random(in: 1...3, using: &random))
    }

    private mutating func register() {
        let token = DeviceToken(unchecked: "d\(nextDevice)")
        nextDevice += 1
        devices.append(token)
        put(token, platform: Bool.random(using: &random) ? .ios : .android)
    }

    private mutating func move() {
        guard let token = devices.randomElement(using: &random),
            let platform = simulation.log.devices[token]?.memberships.last?.membership.platform
        else { return }
        for _ in 0..<Int.random(in: 1...2, using: &random) { put(token, platform: platform) }
    }

    private mutating func put(_ token: DeviceToken, platform: Platform) {
        guard let organisation = organisations.randomElement(using: &random) else { return }
        // A user once given stays: another would be a change of holder.
        let user =
            simulation.log.devices[token]?.user ?? (Bool.random(using: &random) ? users.randomElement(using: &random) : nil)
        // `test` once set stays: taking it back withdraws, which is the store's.
        let wasTest = simulation.log.devices[token]?.memberships.last?.membership.test ?? false
        let test = wasTest || Int.random(in: 0..<3, using: &random) == 0
        simulation.change { $0.putDevice(token, in: organisation, user: user, platform: platform, test: test) }
    }

    private mutating func reparent() {
        guard organisations.count > 1 else { return }
        // An organisation goes below an older one, so there is never a cycle.
        let index = Int.random(in: 1..<organisations.count, using: &random)
        let parent = Int.random(in: 0..<6, using: &random) == 0 ? nil : organisations[Int.random(in: 0..<index, using: &random)]
        let organisation = organisations[index]
        simulation.change { $0.putOrganisation(organisation, below: parent) }
    }

    private mutating func end() {
        let recent = tasks.suffix([6, 30, 200].randomElement(using: &random) ?? 6)
        guard let task = recent.randomElement(using: &random) else { return }
        simulation.change { $0.end(task) }
    }

    private mutating func remove() {
        guard devices.count > 4, let index = devices.indices.randomElement(using: &random) else { return }
        let token = devices.remove(at: index)
        simulation.disconnect(token)
        _ = simulation.log.removeDevice(token)
        simulation.publish([])
        register()
    }
}
