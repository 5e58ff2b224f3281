internal import Libevent
internal import MQTT
internal import Push

// What operators follow of single devices. While nothing is traced, it costs a branch at each place.

extension Shard {
    /// What is traced has changed: sessions that are there learn whether it concerns them.
    public func traceAnew() {
        for connection in connections.all {
            guard case .open(let session, _) = connection.state else { continue }
            session.isTraced = isTraced(connection)
        }
    }

    /// Whether what happens on the connection is told to anybody.
    func isTraced(_ connection: DeviceConnection) -> Bool { tracer.isOn && tracer.concerns(object(of: connection)) }

    /// A dispatcher that tells what is traced.
    func makeDispatcher(_ snapshot: DirectorySnapshot) -> Dispatcher {
        let dispatcher = Dispatcher(snapshot, configuration: configuration, clock: clock)
        dispatcher.onTrace = { [unowned self] session, point in
            guard let connection = connections[Int(session.connectionSlot)] else { return }
            trace(connection, point)
        }
        return dispatcher
    }

    /// Tells what happened to a connection. Ask ``Tracer/isOn`` or the session first.
    func trace(_ connection: DeviceConnection, _ name: String, _ fields: [(name: String, value: String)] = []) {
        let known = [
            ("device_token", connection.token?.text ?? "-"), ("client", "\(connection.socket.clientAddress)"),
        ]
        tracer.tell(name, about: object(of: connection), at: loop.wallClockMilliseconds, known + fields)
    }

    private func trace(_ connection: DeviceConnection, _ point: TracePoint) {
        switch point {
        case .sent(let task, let packetID):
            trace(connection, "sent", [("task_id", task.text), ("packet_id", "\(packetID)")])
        case .skipped(let task): trace(connection, "skipped_oversize", [("task_id", task.text)])
        case .acknowledged(let packetID, let reason):
            let code = "0x" + String(reason.rawValue, radix: 16)
            trace(
                connection, reason.isError ? "rejected" : "acknowledged", [("packet_id", "\(packetID)"), ("reason_code", code)])
        case .windowFull(let task): trace(connection, "window_full", [("before", task.text)])
        }
    }

    private func object(of connection: DeviceConnection) -> TraceObject {
        TraceObject(device: connection.token, address: connection.socket.clientAddress.ip)
    }
}
