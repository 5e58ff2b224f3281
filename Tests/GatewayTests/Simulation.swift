import MQTT
import Push
import TestKit
import Testing

@testable import Gateway

/// A dispatcher between a log, whose feed lags, and devices that acknowledge when they like. Every step is checked against the
/// log.
struct Simulation {
    struct Client {
        let session: Session
        /// Received and not acknowledged, oldest first.
        var unacknowledged: [(packetID: UInt16, position: Position)] = []
        let receiveMaximum: Int
        /// What counts in the window: from the oldest that is still to be delivered to the newest, acknowledged ones included.
        var span: [Position] = []
        var last = Position.start
    }

    var log = MemoryLog()
    let dispatcher: Dispatcher
    private let clock = DeliveryClock()
    var feed: [FeedEvent] = []
    var pages: [(request: PageRequest, page: Pending?)] = []
    var clients: [DeviceToken: Client] = [:]
    /// Ended as far as the dispatcher has been told.
    var ended: Set<TaskID> = []
    var now: Int64 = 1_000
    var window: Int
    var scan = Int.max
    private var connections = 0

    /// - Parameter direct: how many sessions a groupcast may reach outside the sweep.
    init(window: Int = 4, ringBytes: Int = 64 * 1024, direct: Int = 0) {
        self.window = window
        var configuration = GatewayConfiguration(window: window, ringBytes: ringBytes)
        configuration.directSessions = direct
        dispatcher = Dispatcher(log.snapshot(), configuration: configuration, clock: clock)
    }

    // MARK: The store

    mutating func publish(_ entries: [Entry]) { feed.append(.entries(MemoryLog.lane, upTo: log.end, entries)) }

    mutating func append(
        to target: PushRequest.Target, task: TaskID? = nil, audience: Audience = Audience(), expires: Int64? = nil
    ) -> Row {
        let payload = Array("\(log.end.raw + 1)".utf8)
        let row = log.append(to: target, task: task, audience: audience, expires: expires, payload: payload)
        publish([.row(row)])
        return row
    }

    mutating func change(_ body: (inout MemoryLog) -> Entry) {
        let entry = body(&log)
        publish([entry])
    }

    /// Everything the log has but the dispatcher has not been told is left out.
    mutating func gap() {
        feed = []
        ended.formUnion(log.endedAt.keys)
        dispatcher.reset(to: log.snapshot(), now: log.end)
        collect()
    }

    // MARK: The loop

    mutating func applyNext() {
        guard !feed.isEmpty else { return }
        guard case .entries(_, let upTo, let entries) = feed.removeFirst() else { return }
        clock.now = now
        dispatcher.beginEvent()
        for entry in entries {
            dispatcher.apply(entry)
            if case .ended(let task, _) = entry {
                collect()
                ended.insert(task)
            }
        }
        dispatcher.endEvent(at: upTo)
        collect()
    }

    mutating func applyAll() { while !feed.isEmpty { applyNext() } }

    mutating func visit(_ slots: Int = 1) {
        clock.now = now
        for _ in 0..<slots where !dispatcher.visitNext() { break }
        collect()
    }

    mutating func sweepAll() {
        while dispatcher.visitNext() {}
        collect()
    }

    /// Asks for pages as the log is now; they arrive later.
    mutating func request(atMost count: Int = .max) {
        var left = count
        while left > 0, let request = dispatcher.nextPageRequest() {
            left -= 1
            let page = log.pending(
                for: request.session.device, after: request.after, limit: request.limit, now: now, scan: scan)
            pages.append((request, page))
        }
        collect()
    }

    mutating func arrive(_ index: Int = 0) {
        guard pages.indices.contains(index) else { return }
        let (request, page) = pages.remove(at: index)
        clock.now = now
        if let page { dispatcher.offer(page, for: request) } else { dispatcher.abandon(request) }
        collect()
    }

    // MARK: Devices

    @discardableResult
    mutating func connect(_ token: DeviceToken, maximumPacketSize: Int = .max, receiveMaximum: Int = .max) -> Session? {
        disconnect(token)
        // The feed's entries come before the answer.
        applyAll()
        guard let attached = log.attached(token) else { return nil }
        connections += 1
        let session = Session(
            attached: attached, id: SessionID(raw: UInt64(connections)), connection: connections,
            conversation: Conversation(version: .v311, receiveMaximum: 64, maximumPacketSize: maximumPacketSize),
            window: Window(
                limit: window, receiveMaximum: receiveMaximum, firstPacketID: UInt16(65_530 + connections % 5),
                settledBeyond: attached.settledBeyond.filter { $0 > attached.settledUpTo }),
            began: dispatcher.head, connack: [])
        clients[token] = Client(session: session, receiveMaximum: receiveMaximum)
        clock.now = now
        dispatcher.join(session)
        collect()
        return session
    }

    mutating func disconnect(_ token: DeviceToken) {
        guard let client = clients.removeValue(forKey: token) else { return }
        handOver()
        dispatcher.freeze(client.session)
        log.moveCursor(of: token, to: dispatcher.settledUpTo(of: client.session))
        dispatcher.leave(client.session)
        collect()
    }

    mutating func acknowledge(_ token: DeviceToken, _ index: Int = 0) {
        guard var client = clients[token], client.unacknowledged.indices.contains(index) else { return }
        let (packetID, _) = client.unacknowledged.remove(at: index)
        shorten(&client)
        clients[token] = client
        clock.now = now
        dispatcher.acknowledge(Puback(packetID: packetID, reasonCode: .success), of: client.session)
        dispatcher.advance(client.session)
        collect()
    }

    /// What is acknowledged or over holds the window no more, once nothing older does.
    private func shorten(_ client: inout Client) {
        let oldest = client.unacknowledged.first { !isOver($0.position) }?.position
        client.span.removeAll { position in oldest.map { position < $0 } ?? true }
    }

    private func isOver(_ position: Position) -> Bool {
        guard let row = log.rows.first(where: { $0.position == position }) else { return false }
        return log.endedAt[row.task] != nil || row.expires ?? .max <= now
    }

    /// The blocked sessions are visited.
    mutating func visitBlocked(_ times: Int = 1) {
        clock.now = now
        for _ in 0..<times { dispatcher.visitBlocked(atMost: 1_000) }
        collect()
    }

    mutating func handOver() {
        for delivery in dispatcher.removeSettled() {
            checkCursor(delivery)
            log.settle(delivery)
            let beyond = log.device(delivery.device)?.settledBeyond.count ?? 0
            #expect(beyond <= window, "what is settled beyond the cursor is never more than a window")
        }
    }

    /// Lets everything happen that can.
    mutating func settleDown() {
        var isOver = false
        while !isOver {
            applyAll()
            sweepAll()
            request()
            let before = pages.count
            while !pages.isEmpty { arrive() }
            var acknowledged = 0
            for token in clients.keys {
                while let client = clients[token], !client.unacknowledged.isEmpty {
                    acknowledge(token)
                    acknowledged += 1
                }
            }
            handOver()
            isOver = before == 0 && acknowledged == 0 && feed.isEmpty
        }
    }

    // MARK: Checks

    /// Reads what was written to the sessions.
    private mutating func collect() {
        var output: [(Session, [UInt8])] = []
        dispatcher.flush { output.append(($0, $0.output)) }
        for (session, bytes) in output {
            guard let token = clients.first(where: { $0.value.session === session })?.key else { continue }
            var decoder = PacketDecoder(role: .client, version: .v311)
            var offset = 0
            bytes.withUnsafeBytes { buffer in
                while case .publish(let publish)? = try? decoder.decode(buffer, consumed: &offset) { receive(publish, token) }
            }
            #expect(offset == bytes.count, "whole packets, and nothing but PUBLISH")
        }
    }

    private mutating func receive(_ publish: Publish, _ token: DeviceToken) {
        guard let raw = UInt64(String(decoding: publish.payload, as: UTF8.self)), let packetID = publish.packetID,
            let row = log.rows.first(where: { $0.position == Position(raw: raw) })
        else {
            Issue.record("a message that nobody sent")
            return
        }
        guard var client = clients[token], let device = log.devices[token] else { return }
        #expect(row.position > client.last, "\(token) gets \(raw) after \(client.last.raw)")
        #expect(log.concerns(row, device), "\(token) gets \(raw), which is not for it")
        #expect(!ended.contains(row.task), "\(token) gets \(raw), which has ended")
        #expect(row.expires ?? .max > now, "\(token) gets \(raw), which has expired")
        #expect(
            !(log.delivered[device.handle]?.contains(row.position) ?? false),
            "\(token) gets \(raw), which it acknowledged on an earlier connection")
        client.last = row.position
        client.unacknowledged.append((packetID, row.position))
        shorten(&client)
        client.span.append(row.position)
        #expect(client.span.count <= window, "\(token) has more than a window")
        #expect(client.unacknowledged.count <= client.receiveMaximum, "\(token) has more than it takes")
        clients[token] = client
    }

    /// The cursor must never pass a row that is still to be delivered.
    private func checkCursor(_ delivery: Delivery) {
        guard let device = log.device(delivery.device) else { return }
        for row in log.rows where row.position > device.cursor && row.position <= delivery.settledUpTo {
            guard log.concerns(row, device), log.endedAt[row.task] == nil, row.expires ?? .max > now else { continue }
            let isSettled =
                device.settledBeyond.contains(row.position) || row.position == delivery.position
                || log.skipped[delivery.device]?.contains(row.position) ?? false
            #expect(isSettled, "\(device.token): the cursor passes \(row.position.raw), which it has not got")
        }
    }

    /// Every connected device has everything that concerns it, is not over, and fits.
    func checkComplete() {
        for (token, client) in clients {
            guard let device = log.devices[token] else { continue }
            #expect(client.session.state == .live, "\(token) is live")
            for row in log.rows where log.concerns(row, device) && log.endedAt[row.task] == nil && row.expires ?? .max > now {
                let has = log.delivered[device.handle]?.contains(row.position) ?? false
                let tooLarge = log.skipped[device.handle]?.contains(row.position) ?? false
                #expect(has || tooLarge, "\(token) never got \(row.position.raw)")
            }
        }
    }
}
