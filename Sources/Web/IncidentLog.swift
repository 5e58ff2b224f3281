internal import Libevent
internal import Logging

/// Tells of failures that are not the caller's fault. A store that takes no changes refuses thousands of requests a second: one
/// line a second says so.
struct IncidentLog {
    private let log: Logger
    private var last: ContinuousClock.Instant?
    private var unreported = 0

    init(_ log: Logger) { self.log = log }

    /// Writes a line, or counts one that is left out. The address is the only thing of the request that it tells.
    mutating func report(_ incident: Incident, in exchange: HTTPExchange) {
        let now = ContinuousClock.now
        if let last, now - last < .seconds(1) {
            unreported += 1
            return
        }
        log.log(
            level: incident.isTransient ? .warning : .error, "a request was answered with \(incident.code)",
            metadata: [
                "method": "\(exchange.method)", "path": "\(exchange.rawPath.prefix(200))", "cause": "\(incident.cause)",
                "unreported": "\(unreported)",
            ])
        last = now
        unreported = 0
    }
}
