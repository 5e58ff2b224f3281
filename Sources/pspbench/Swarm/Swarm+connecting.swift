internal import Libevent
internal import MQTT

// How devices come and go.

extension Swarm {
    /// Opens what is due, within the limit of unanswered ones.
    func openMore() {
        var due = min(plan.connecting - tally.opening, devices.count - begun)
        if pace != nil { due = pace?.due(atMost: max(0, due)) ?? 0 }
        for _ in 0..<max(0, due) {
            let device = devices[begun]
            begun += 1
            if device.state == .idle || device.state == .lost { open(device) }
        }
        if begun == devices.count { timer = nil }
    }

    private func open(_ device: Device) {
        device.state = .connecting
        device.held = []
        tally.opening += 1
        do {
            let connection = try Connection.connect(
                to: plan.address, from: plan.source(of: device.number), on: loop, security: plan.security,
                isResuming: handshakesOnly, handler: self)
            connection.tag = device
            device.connection = connection
            // What is sent now is written when TCP stands.
            if !handshakesOnly { connection.send(plan.greeting(of: device.number)) }
            device.state = .greeting
        } catch {
            lose(device, "\(error)")
        }
    }

    /// The connection stands, and its handshake is done where there is one.
    func opened(_ connection: Connection) {
        guard handshakesOnly, let device = device(of: connection) else { return }
        if connection.isResumed { tally.resumed += 1 }
        refuse(device, connection, "its handshake is done")
    }

    func lose(_ device: Device, _ reason: String) {
        switch device.state {
        case .idle, .lost: return
        case .ready: tally.ready -= 1
        case .connecting, .greeting, .subscribing: tally.opening -= 1
        }
        device.state = .lost
        device.connection = nil
        tally.lost += 1
        tally.lastLoss = reason
    }

    /// Anything but a PUBLISH.
    func answer(_ bytes: UnsafeRawBufferPointer, to device: Device, _ connection: Connection) {
        var decoder = PacketDecoder(role: .client, version: plan.version)
        var consumed = 0
        do {
            switch try decoder.decode(bytes, consumed: &consumed) {
            case .connack(let connack):
                if connection.isResumed { tally.resumed += 1 }
                guard connack.reasonCode == .success else { return refuse(device, connection, "CONNACK \(connack.reasonCode)") }
                greeted(device, connection)
            case .suback(let suback):
                guard suback.reasonCodes.allSatisfy({ $0.rawValue < 0x80 }) else {
                    return refuse(device, connection, "SUBACK \(suback.reasonCodes)")
                }
                becomeReady(device)
            case .disconnect(let disconnect): refuse(device, connection, "DISCONNECT \(disconnect.reasonCode)")
            default: break
            }
        } catch {
            refuse(device, connection, "\(error)")
        }
    }

    func refuse(_ device: Device, _ connection: Connection, _ reason: String) {
        lose(device, reason)
        connection.close()
    }

    private func greeted(_ device: Device, _ connection: Connection) {
        guard device.state == .greeting else { return }
        guard let subscription = plan.subscription(of: device.number) else { return becomeReady(device) }
        device.state = .subscribing
        connection.send(subscription)
    }

    private func becomeReady(_ device: Device) {
        guard device.state == .greeting || device.state == .subscribing else { return }
        device.state = .ready
        tally.opening -= 1
        tally.ready += 1
    }

    /// Spreads the PINGREQs over the keep-alive time: each second those whose number is due.
    func ping() {
        keepAliveTick = (keepAliveTick + 1) % plan.keepAlive
        for index in stride(from: keepAliveTick, to: devices.count, by: plan.keepAlive) where devices[index].state == .ready {
            devices[index].connection?.send(Self.pingPacket)
        }
    }
}
