internal import Libevent
internal import Logging

// What devices cause to be logged: each line that a peer can bring about as often as it likes is written here.

extension Shard {
    func logEnd(of connection: DeviceConnection, _ ending: Ending) {
        if ending.isFault { connectionCounters.protocolErrors += 1 }
        if ending.isRefusal { connectionCounters.refused += 1 }
        logger.log(
            level: ending.isFault || ending.isRefusal ? .info : .debug, "connection ends",
            metadata: metadata(of: connection, ending.cause))
    }

    func logDiscarded(by connection: DeviceConnection, _ cause: String) {
        logger.info("a device's PUBLISH leads to nothing", metadata: metadata(of: connection, cause))
    }

    func logRefusedReceipt(of connection: DeviceConnection) {
        logger.info(
            "a device's receipt leads to nothing", metadata: metadata(of: connection, "not a task that addressed the device"))
    }

    func metadata(of connection: DeviceConnection, _ cause: String? = nil) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["device": "\(connection.token?.text ?? "-")", "peer": "\(connection.socket.peer)"]
        if let cause { metadata["cause"] = "\(cause)" }
        return metadata
    }
}
