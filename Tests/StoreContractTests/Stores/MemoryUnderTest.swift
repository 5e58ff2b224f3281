import Push
import StoreContract
import TestKit

extension StoreKind {
    /// The gateway's double. It decides what a gateway sees of a store; what only callers and operators see, it leaves out.
    static let memory = StoreKind(
        "MemoryStore",
        unclaimed: [
            .restart: "it lives in memory",
            .crash: "it lives in memory",
            .configurations: "the gateway learns of an end by the feed; its tests end tasks themselves",
            .holders: "it forgets a device that is gone, and the gateway counts nothing",
            .scopes: "who is in the target is all that the gateway can tell apart",
            .lifetimes: "nothing is old in it, and its clock is the test's alone",
            .operators: "a gateway has none",
            .quotas: "a gateway pushes nothing",
            .payloads: "the gateway does not look into what it sends",
            .directedRows: "it tells every loop everything, so that the gateway's own choice is tested",
            .lastSeen: "no test of the gateway asks",
            .strictTokens: "no test of the gateway reads lists",
        ]
    ) { _ in MemoryUnderTest() }
}

/// The gateway's double.
final class MemoryUnderTest: StoreUnderTest {
    private let store = MemoryStore()
    private let clock = ManualClock()

    init() { advance(by: 0) }

    func port(at node: Int, for mailbox: any Mailbox) -> any StorePort { store.port(for: mailbox) }

    func name(ofNode node: Int) -> NodeName { MemoryStore.node }

    var now: Int64 { clock.now }

    func advance(by milliseconds: Int64) {
        clock.advance(by: milliseconds)
        let now = clock.now
        store.behave { $0.now = now }
    }

    /// It knows one clock.
    func step(by milliseconds: Int64) { advance(by: milliseconds) }

    func cutOff(_ isCutOff: Bool) { store.behave { $0.isUnreachable = isCutOff } }

    func close() { store.close() }

    func reopen(after ending: Ending) async throws { throw UnexpectedAnswer("nothing of it is left after \(ending)") }
}
