internal import Libevent
internal import Logging

// What devices cause to be logged. Each line that a peer can bring about as often as it likes is written here, and limited: see
// ``LineLimit``. Debugging shows them all.

extension Shard {
    func logEnd(of connection: DeviceConnection, _ ending: Ending) {
        if ending.isFault { connectionCounters.protocolErrors += 1 }
        if let refusal = ending.refusal { connectionCounters.refused.count(refusal) }
        if tracer.isOn { trace(connection, ending.refusal == nil ? "closed" : "refused", [("cause", ending.cause)]) }
        if ending.isFault || ending.refusal != nil {
            log(.info, "connection ends", cause: ending.cause, metadata(of: connection, ending.cause))
        } else {
            logger.debug("connection ends", metadata: metadata(of: connection, ending.cause))
        }
    }

    func logDiscarded(by connection: DeviceConnection, _ cause: DiscardCause) {
        let line = "a device's PUBLISH leads to nothing"
        switch cause {
        case .foreignTopic(let topic):
            log(.info, line, cause: "foreign topic", metadata(of: connection, "PUBLISH to \(topic.cutForLog)"))
        case .malformedReceipt(let fault):
            log(.info, line, cause: "malformed receipt", metadata(of: connection, "malformed receipt: \(fault.cutForLog)"))
        }
    }

    func logRefusedReceipt(of connection: DeviceConnection) {
        let cause = "not a task that addressed the device"
        log(.info, "a device's receipt leads to nothing", cause: cause, metadata(of: connection, cause))
    }

    func metadata(of connection: DeviceConnection, _ cause: String? = nil) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "device": "\(connection.token?.text.cutForLog ?? "-")", "client": "\(connection.socket.clientAddress)",
        ]
        if let cause { metadata["cause"] = "\(cause)" }
        return metadata
    }

    // MARK: The limit

    /// Writes a line that a peer can bring about, unless there were too many of its kind.
    func log(_ level: Logger.Level, _ line: String, cause: String, _ metadata: @autoclosure () -> Logger.Metadata) {
        guard logger.logLevel <= level else { return }
        if lineLimit.isEmpty { lineTimer?.restart(after: .seconds(1)) }
        guard lineLimit.admits(LineLimit.Kind(line: line, cause: cause)) || logger.logLevel <= .debug else { return }
        logger.log(level: level, "\(line)", metadata: metadata())
    }

    func leftOutLinesAreDue() {
        for (kind, count) in lineLimit.secondHasPassed() where logger.logLevel > .debug {
            logger.info("lines were left out", metadata: ["line": "\(kind.line)", "cause": "\(kind.cause)", "count": "\(count)"])
        }
        if !lineLimit.isEmpty { lineTimer?.restart(after: .seconds(1)) }
    }
}
