internal import Base
public import Push

/// A device's connection, with the bookkeeping that a gateway does: what is settled, and up to where everything is.
public final class DeviceSession {
    /// The port by which it is connected.
    public let port: any StorePort
    /// Its own number.
    public let id: SessionID
    /// What it began with.
    public let attached: Attached
    /// Everything that was read and is not settled, oldest first.
    public private(set) var outstanding: [Row] = []

    private var settled: Set<Position>
    /// Positions up to which everything was read, and those of the rows read, ascending: each may be the floor.
    private var read: [Position]

    private static let sessions = Locked<UInt64>(1)

    /// A number that no other session of this process has.
    public static func newID() -> SessionID {
        SessionID(
            raw: sessions.withLock { next in
                next += 1
                return next
            })
    }

    /// Connects a device whose secret is "secret".
    public static func connect(
        _ token: String, _ port: any StorePort, as id: SessionID = newID()
    ) async throws(AttachError) -> DeviceSession {
        let attached = try await port.attach(DeviceToken(unchecked: token), secret: Array("secret".utf8), session: id)
        return DeviceSession(port, id, attached)
    }

    /// A session that was attached.
    public init(_ port: any StorePort, _ id: SessionID, _ attached: Attached) {
        self.port = port
        self.id = id
        self.attached = attached
        settled = Set(attached.settledBeyond)
        read = [attached.settledUpTo]
    }

    /// The holder's device.
    public var device: DeviceHandle { attached.device }

    /// Up to here everything was read.
    public var readUpTo: Position { read.last ?? .start }

    /// A page, or nothing for a holder that is gone: a store may still know it or not.
    private func page(after position: Position, _ limit: Int) async throws(StoreError) -> Pending? {
        do throws(StoreError) {
            return try await port.pending(for: device, after: position, limit: limit)
        } catch .refused(let refusal) where refusal.code == .noSuchDevice {
            return nil
        }
    }

    /// Reads pages until the store has nothing more; rows that are settled already are left out.
    /// - Returns: everything that is outstanding.
    @discardableResult
    public func read(limit: Int = 20) async throws(StoreError) -> [Row] {
        while true {
            let last = read.last ?? .start
            guard let page = try await page(after: last, limit) else { return outstanding }
            outstanding += page.rows.filter { !settled.contains($0.position) }
            read += page.rows.map(\.position)
            if page.lookedUpTo <= last { return outstanding }
            if page.lookedUpTo > read.last ?? .start { read.append(page.lookedUpTo) }
        }
    }

    /// Reads again from where it began, as if it had read nothing: what the device has still to get.
    public func reread(limit: Int = 20) async throws(StoreError) -> [Row] {
        var rows: [Row] = []
        var last = attached.settledUpTo
        while true {
            guard let page = try await page(after: last, limit) else { return rows }
            rows += page.rows.filter { !settled.contains($0.position) }
            if page.lookedUpTo <= last { return rows }
            last = page.lookedUpTo
        }
    }

    /// Takes a row that came by the feed, after everything that was read.
    public func receive(_ row: Row) {
        outstanding.append(row)
        read.append(row.position)
    }

    /// Up to here everything is settled.
    public var settledUpTo: Position {
        guard let oldest = outstanding.first else { return read.last ?? .start }
        return read.last { $0 < oldest.position } ?? attached.settledUpTo
    }

    /// The PUBACK of rows arrived, or they were too large to be sent.
    public func settle(_ rows: [Row], _ kind: Delivery.Kind = .delivered) {
        port.settle(
            rows.map { row in
                outstanding.removeAll { $0.position == row.position }
                settled.insert(row.position)
                return Delivery(device: device, position: row.position, settledUpTo: settledUpTo, kind: kind)
            })
    }

    /// Tells of rows what was told before, with a cursor that lags: a fact may be told any number of times.
    public func settleAgain(_ rows: [Row], by port: any StorePort) {
        port.settle(rows.map { Delivery(device: device, position: $0.position, settledUpTo: .start, kind: .delivered) })
    }

    /// The connection ended.
    public func disconnect(settling rows: [Row] = []) {
        settle(rows)
        port.detach(device, session: id, settledUpTo: settledUpTo)
    }

    /// A receipt of this device's.
    public func receipt(_ task: TaskID, _ event: ReceiptEvent, _ detail: String? = nil) -> Receipt {
        Receipt(device: device, task: task, event: event, detail: detail)
    }

    /// Tells of a task, and returns what became of it.
    public func tell(_ task: TaskID, _ event: ReceiptEvent, _ detail: String? = nil) async throws(StoreError) -> ReceiptResult? {
        try await port.commit([receipt(task, event, detail)]).first
    }
}
