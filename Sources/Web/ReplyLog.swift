internal import Libevent
internal import Logging

/// Tells the log of replies that are no success. Both kinds come by the thousand in a second, when the store takes no changes or
/// when a caller tries again and again: of each code one line a second is written, and the next one says how many were left out.
/// At debug level refusals are all shown.
struct ReplyLog {
    /// What was written of one code, and what was not.
    private struct Told {
        var last: ContinuousClock.Instant
        var leftOut = 0
    }

    private let log: Logger
    /// By the code, of which there are as many as the front's catalogue has.
    private var told: [Int: Told] = [:]

    init(_ log: Logger) { self.log = log }

    /// Writes a line, or counts one that is left out.
    /// - Parameter id: by what the request is called.
    mutating func write(_ note: ReplyNote, about exchange: HTTPExchange, id: String) {
        switch note {
        case .refusal(let code, let caller):
            guard log.logLevel <= .info, let leftOut = admit(code, showsAll: log.logLevel <= .debug) else { return }
            var metadata = Self.metadata(of: exchange, id, leftOut)
            metadata["code"] = "\(code)"
            if let caller { metadata["app"] = "\(String(caller.unicodeScalars.prefix(64)))" }
            log.info("a request was refused", metadata: metadata)
        case .incident(let incident):
            guard let leftOut = admit(incident.code, showsAll: false) else { return }
            var metadata = Self.metadata(of: exchange, id, leftOut)
            metadata["cause"] = "\(incident.cause)"
            log.log(
                level: incident.isTransient ? .warning : .error, "a request was answered with \(incident.code)",
                metadata: metadata)
        }
    }

    /// - Returns: how many lines were left out since the last one; `nil` if this one is too.
    private mutating func admit(_ code: Int, showsAll: Bool) -> Int? {
        let now = ContinuousClock.now
        if !showsAll, let before = told[code], now - before.last < .seconds(1) {
            told[code]?.leftOut += 1
            return nil
        }
        let leftOut = told[code]?.leftOut ?? 0
        told[code] = Told(last: now)
        return leftOut
    }

    /// Of the request itself nothing but its address is told, and of the caller where it is.
    private static func metadata(of exchange: HTTPExchange, _ id: String, _ leftOut: Int) -> Logger.Metadata {
        [
            "method": "\(exchange.method)", "path": "\(exchange.rawPath.prefix(200))",
            "client": "\(exchange.clientAddress?.description ?? "-")", "request_id": "\(id)", "unreported": "\(leftOut)",
        ]
    }
}
