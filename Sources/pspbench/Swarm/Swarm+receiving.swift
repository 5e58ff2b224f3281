internal import Base
internal import Libevent

// The hot path: a message in, an acknowledgement out.

extension Swarm: ConnectionHandler {
    nonisolated func connectionDidOpen(_ connection: sending Connection) { assumeIsolated { $0.opened(connection) } }

    nonisolated func connectionDidRead(_ connection: sending Connection) { assumeIsolated { $0.read(connection) } }

    nonisolated func connectionDidClose(_ connection: sending Connection, reason: Connection.CloseReason) {
        assumeIsolated { $0.closed(connection, reason) }
    }

    func device(of connection: Connection) -> Device? {
        // Every connection here got its device as its tag; a cast that asks costs more than all else in this function.
        connection.tag.map { unsafeDowncast($0, to: Device.self) }
    }

    private func closed(_ connection: Connection, _ reason: Connection.CloseReason) {
        guard let device = device(of: connection), device.connection === connection else { return }
        lose(device, "\(reason)")
    }

    private func read(_ connection: Connection) {
        guard let device = device(of: connection) else { return }
        answers.removeAll(keepingCapacity: true)
        let malformed = connection.withInput { bytes, consumed in
            var scanner = PublishScanner(bytes)
            scan: while let item = scanner.next() {
                switch item {
                case .publish(let packet, let identifier):
                    if let identifier { acknowledge(identifier) }
                    received(bytes, packet, by: device)
                case .other(let packet):
                    answer(UnsafeRawBufferPointer(rebasing: bytes[packet]), to: device, connection)
                    if connection.isClosed { break scan }
                case .malformed: return true
                }
            }
            consumed = scanner.offset
            return false
        }
        if malformed { return refuse(device, connection, "a packet that is none") }
        tally.reads += 1
        guard !answers.isEmpty else { return }
        if holds { return device.held += answers }
        tally.acknowledged += answers.count / Self.acknowledgementSize
        answers.withUnsafeBytes { connection.send($0) }
    }

    static let acknowledgementSize = 4

    /// PUBACK: the same four bytes in both versions, as success needs no reason code (MQTT 5.0 §3.4.2.1).
    private func acknowledge(_ identifier: UInt16) {
        answers.append(0x40)
        answers.append(0x02)
        answers.append(UInt8(truncatingIfNeeded: identifier))
        answers.append(UInt8(truncatingIfNeeded: identifier >> 8))
    }

    private func received(_ bytes: UnsafeRawBufferPointer, _ packet: Range<Int>, by device: Device) {
        tally.received += 1
        tally.bytes += packet.count
        device.received += 1
        if device.received == quota { satisfied += 1 }
        let hinted = packet.lowerBound + markHint
        if hinted + Mark.count <= packet.upperBound, let mark = Mark(bytes, at: hinted) { return marked(mark, device) }
        guard let offset = Mark.find(in: bytes, packet), let mark = Mark(bytes, at: offset) else { return }
        markHint = offset - packet.lowerBound
        marked(mark, device)
    }

    private func marked(_ mark: Mark, _ device: Device) {
        tally.marked += 1
        latencies.record(WallClock.microseconds - mark.sentAt)
        switch mark.stream {
        case .group:
            let last = device.lastGroup
            if mark.sequence <= last { return tally.repeated += 1 }
            if last > 0 { tally.missing += Int(mark.sequence - last - 1) }
            device.lastGroup = mark.sequence
        case .single:
            if mark.sequence <= device.lastSingle { return tally.repeated += 1 }
            device.lastSingle = mark.sequence
        }
    }
}
