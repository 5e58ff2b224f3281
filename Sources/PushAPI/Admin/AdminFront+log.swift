internal import JSON
internal import Logging
internal import Push
internal import Web

/// From what level on the log is written. It is the process's, and what it was started with is back after a restart.
extension AdminFront {
    func logLevel(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        return .logLevel(process.logLevel())
    }

    func setLogLevel(_ request: Request<AdminFront>) async throws -> Reply {
        let names = Logger.Level.allCases.map(\.rawValue)
        let name = try request.decoded { body throws(Refusal) in try LogLevelDecoder.decode(body, levels: names) }
        let before = process.logLevel()
        if let level = Logger.Level(rawValue: name) { process.setLogLevel(level) }
        // Whoever reads the log afterwards should know why it changes, whatever is written from now on.
        log.log(
            level: max(.notice, process.logLevel()), "the log is written from another level on",
            metadata: ["level": "\(name)", "before": "\(before)"])
        return .logLevel(process.logLevel(), status: 202)
    }
}

extension Reply {
    fileprivate static func logLevel(_ level: Logger.Level, status: Int = 200) -> Reply {
        .success(status) { json in json.object { $0.member("level", level.rawValue) } }
    }
}
