internal import Base
internal import Libevent
internal import Logging

/// Tells the log of a listener that is full, or cannot accept: of each one line a minute, with what has happened since the last.
struct CrowdLog {
    private let log: Logger
    private var pressureLine = RareLine()
    private var errorLine = RareLine()
    private var handshakeLine = RareLine()
    private var counts: [ConnectionPressure: Int] = [:]

    init(_ log: Logger) { self.log = log }

    /// A connection found no room.
    mutating func count(_ pressure: ConnectionPressure) {
        counts[pressure, default: 0] += 1
        guard pressureLine.admit() != nil else { return }
        log.warning(
            "the listener is full",
            metadata: [
                "silent_closed": "\(counts[.closedSilent] ?? 0)", "answered_503": "\(counts[.surplus] ?? 0)",
                "dropped": "\(counts[.dropped] ?? 0)",
            ])
        counts = [:]
    }

    /// A connection was no TLS, or none that both sides could agree on.
    mutating func handshakeFailed(because failure: TLSFailure, from peer: SocketAddress?) {
        guard let leftOut = handshakeLine.admit() else { return }
        log.info(
            "TLS failed",
            metadata: ["cause": "\(failure)", "peer": "\(peer.map { "\($0)" } ?? "-")", "unreported": "\(leftOut)"])
    }

    /// The system has given no connection.
    mutating func couldNotAccept(because error: LibeventError) {
        guard let leftOut = errorLine.admit() else { return }
        log.warning("connections could not be accepted", metadata: ["cause": "\(error)", "unreported": "\(leftOut)"])
    }
}
