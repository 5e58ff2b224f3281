internal import Base
internal import Libevent
internal import Logging

/// Looks after the files of TLS while the server runs: reads them again when they have changed, and warns before the certificate
/// expires.
///
/// It asks for the files' stamps every few seconds rather than be told: certificates come by rename, by symbolic link, by network
/// file system and by the container's volume, and a stamp shows them all.
struct CertificateWatch {
    private let tls: ServerTLS
    private let log: Logger
    /// As of the last time that the files could be used.
    private var known: [FileStamp?]
    /// As of the last look: files that change one after the other are read when they have come to rest.
    private var seen: [FileStamp?]
    private var lastWarning: Int64?
    private var lastRenewal = MonotonicClock.nanoseconds

    /// How often it looks.
    static let interval = Duration.seconds(2)
    /// So long before the end it begins to warn, in seconds.
    static let warning: Int64 = 14 * 86_400
    private static let warningInterval: Int64 = 86_400
    /// How long tickets are sealed with the same key, where it is not a file's, in nanoseconds.
    private static let renewalInterval: Int64 = 12 * 3_600 * 1_000_000_000

    init(_ tls: ServerTLS, log: Logger) {
        self.tls = tls
        self.log = log
        known = tls.stamps
        seen = known
    }

    /// Looks until the task is cancelled.
    static func run(_ tls: ServerTLS, log: Logger) async {
        var watch = CertificateWatch(tls, log: log)
        do {
            while true {
                watch.look(now: WallClock.milliseconds / 1_000)
                try await Task.sleep(for: interval)
            }
        } catch {
            // Cancelled: the server ends.
        }
    }

    /// One look.
    /// - Parameter now: seconds of Unix time.
    mutating func look(now: Int64) {
        let stamps = tls.files.map { FileStamp($0) }
        // What could not be used is tried again: a file may be unreadable for a moment, and be the same afterwards.
        if stamps != known, stamps == seen, tls.reload(because: "the files have changed", now: now) { known = stamps }
        seen = stamps
        warn(now: now)
        if tls.hasOwnTicketKeys, MonotonicClock.nanoseconds - lastRenewal > Self.renewalInterval {
            lastRenewal = MonotonicClock.nanoseconds
            tls.renewTicketKeys()
        }
    }

    /// Once a day.
    private mutating func warn(now: Int64) {
        let expiry = tls.certificate.expiry
        guard expiry - now < Self.warning else { return lastWarning = nil }
        if let lastWarning, now - lastWarning < Self.warningInterval { return }
        lastWarning = now
        let metadata: Logger.Metadata = ["expires": "\(UTCTime.rfc3339(expiry * 1_000))"]
        if expiry > now {
            log.warning("the certificate expires soon", metadata: metadata)
        } else {
            log.error("the certificate has expired", metadata: metadata)
        }
    }
}
