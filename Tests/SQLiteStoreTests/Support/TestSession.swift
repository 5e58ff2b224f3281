import Push
import Synchronization

/// A device's connection, with the bookkeeping that a gateway does: what is settled, and up to where everything is.
final class TestSession {
    let port: any StorePort
    let session: SessionID
    let attached: Attached
    private var settledUpTo: Position
    private var settled: Set<Position>
    /// Everything that was offered and is not settled, oldest first.
    private(set) var outstanding: [Row] = []
    private var lookedUpTo: Position

    private static let sessions = Atomic<UInt64>(1)

    /// Connects a device whose secret is "secret".
    static func attach(_ token: String, _ port: any StorePort) async throws -> TestSession {
        let session = SessionID(raw: sessions.add(1, ordering: .relaxed).newValue)
        let attached = try await port.attach(DeviceToken(unchecked: token), secret: Array("secret".utf8), session: session)
        return TestSession(port: port, session: session, attached: attached)
    }

    init(port: any StorePort, session: SessionID, attached: Attached) {
        self.port = port
        self.session = session
        self.attached = attached
        settledUpTo = attached.settledUpTo
        settled = Set(attached.settledBeyond)
        lookedUpTo = attached.settledUpTo
    }

    /// Reads pages until the store has nothing more; rows that are settled already are left out.
    @discardableResult
    func pending(limit: Int = 20) async throws -> [Row] {
        while true {
            let page = try await port.pending(for: attached.device, after: lookedUpTo, limit: limit)
            outstanding += page.rows.filter { !settled.contains($0.position) }
            if page.lookedUpTo <= lookedUpTo { return outstanding }
            lookedUpTo = page.lookedUpTo
        }
    }

    /// Everything below the oldest row that is not settled is.
    private var floor: Position {
        guard let oldest = outstanding.first else { return lookedUpTo }
        return max(settledUpTo, Position(raw: oldest.position.raw - 1))
    }

    /// The PUBACK of a row arrived.
    func settle(_ rows: [Row], _ kind: Delivery.Kind = .delivered) {
        port.settle(deliveries(rows, kind))
    }

    private func deliveries(_ rows: [Row], _ kind: Delivery.Kind) -> [Delivery] {
        rows.map { row in
            outstanding.removeAll { $0.position == row.position }
            settled.insert(row.position)
            return Delivery(device: attached.device, position: row.position, settledUpTo: floor, kind: kind)
        }
    }

    /// The connection ends; what was acknowledged on it last is told before.
    func detach(settling rows: [Row] = []) {
        settle(rows)
        port.detach(attached.device, session: session, settledUpTo: floor)
    }
}
