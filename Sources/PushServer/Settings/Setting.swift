internal import Libevent
internal import Logging

/// One setting of `pspd`. The table ``all`` is the only list of them: flags, environment, file, `--help` and
/// `docs/configuration.md` follow from it.
struct Setting: Sendable {
    /// The key in the YAML file: `admin-token`.
    let key: String
    let placeholder: String
    /// As people read it; what it means in values is ``ServerConfiguration``.
    let defaultText: String
    let meaning: String
    let example: String
    /// A value that no message shows.
    var isSecret = false
    /// Whether it may stand in the YAML file; the file's own name may not.
    var isInFile = true
    /// Reads the text of a value into the configuration.
    let apply: @Sendable (String, inout ServerConfiguration) throws(UnusableValue) -> Void

    /// `--admin-token`
    var flag: String { "--\(key)" }
    /// `PSP_ADMIN_TOKEN`
    var environment: String {
        Self.environmentPrefix + String(key.map { $0 == "-" ? "_" : $0 }).uppercased()
    }

    static let environmentPrefix = "PSP_"
}

/// A value's text that its setting cannot read.
struct UnusableValue: Error, Hashable {
    /// What would have been right: "a whole number from 1 to 256".
    let expected: String
}

extension Setting {
    /// In the order of the help.
    static let all: [Setting] = listeners + ofTLS + ofProxies + ofLimits + rest

    private static let listeners: [Setting] = [
        Setting(
            key: "http", placeholder: "ADDR:PORT", defaultText: "0.0.0.0:8080", meaning: "REST listener, or off",
            example: "127.0.0.1:8080", apply: listener(\.http)),
        Setting(
            key: "mqtt", placeholder: "ADDR:PORT", defaultText: "0.0.0.0:1883", meaning: "device listener, or off",
            example: "[::]:1883", apply: listener(\.mqtt)),
        Setting(
            key: "admin", placeholder: "ADDR:PORT", defaultText: "127.0.0.1:8081",
            meaning: "operators' listener: /psp/admin/…, /metrics, /healthz, /readyz", example: "127.0.0.1:0",
            apply: { text, configuration throws(UnusableValue) in configuration.admin = try address(text) }),
    ]

    private static let rest: [Setting] = [
        Setting(
            key: "data", placeholder: "DIR", defaultText: "./data", meaning: "embedded store; created if missing",
            example: "/var/lib/pspd", apply: path(\.dataDirectory)),
        Setting(
            key: "admin-token", placeholder: "T", defaultText: "made at first start, kept in DIR/admin.token",
            meaning: "bearer token of the operators' listener", example: "s3cret", isSecret: true,
            apply: { text, configuration throws(UnusableValue) in
                guard !text.isEmpty, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                    throw UnusableValue(expected: "printable ASCII without spaces")
                }
                configuration.adminToken = text
            }),
        Setting(
            key: "loops", placeholder: "N", defaultText: "cores", meaning: "event loops, one thread each", example: "4",
            apply: number(\.loops, in: 1...256)),
        Setting(
            key: "window", placeholder: "N", defaultText: "20", meaning: "unacknowledged messages a device may have",
            example: "50", apply: number(\.window, in: 1...1_000)),
        Setting(
            key: "ack-timeout", placeholder: "SECONDS", defaultText: "300",
            meaning: "how long a message may be unacknowledged before its device is disconnected", example: "600",
            apply: duration(\.acknowledgementTimeout, unit: 1, in: 1...86_400)),
        Setting(
            key: "http-idle", placeholder: "SECONDS", defaultText: "75",
            meaning: "how long an HTTP connection is kept between two requests", example: "130",
            apply: duration(\.httpIdleTime, unit: 1, in: 1...86_400)),
        Setting(
            key: "http-connections", placeholder: "N", defaultText: "16384",
            meaning: "callers' connections that each loop holds", example: "1000",
            apply: number(\.httpConnections, in: 1...1_000_000)),
        Setting(
            key: "store-wait", placeholder: "SECONDS", defaultText: "5",
            meaning: "how long a push waits for the store before it is refused with 2302", example: "2",
            apply: duration(\.storeWait, unit: 1, in: 1...3_600)),
        Setting(
            key: "app-rate", placeholder: "N", defaultText: "0",
            meaning: "pushes a second of an app that has no bound of its own; 0: any number", example: "200",
            apply: number(\.appRate, in: 0...1_000_000_000)),
        Setting(
            key: "app-daily", placeholder: "N", defaultText: "0",
            meaning: "pushes a day (UTC) of an app that has no bound of its own; 0: any number", example: "1000000",
            apply: number(\.appDaily, in: 0...1_000_000_000)),
        Setting(
            key: "drain-delay", placeholder: "SECONDS", defaultText: "0",
            meaning: "how long it serves on after SIGTERM, not ready, so that balancers turn away first", example: "6",
            apply: duration(\.drainDelay, unit: 1, in: 0...3_600)),
        Setting(
            key: "drain-rate", placeholder: "N", defaultText: "0",
            meaning: "devices a second that it disconnects at its end; 0: all at once", example: "500",
            apply: number(\.drainRate, in: 0...1_000_000)),
        Setting(
            key: "timestamp-window", placeholder: "SECONDS", defaultText: "600",
            meaning: "how far a caller's timestamp may be from the server's clock", example: "300",
            apply: duration(\.timestampWindow, unit: 1, in: 1...86_400)),
        Setting(
            key: "task-retention", placeholder: "DAYS", defaultText: "30", meaning: "how long a task is kept after it ended",
            example: "90", apply: duration(\.taskRetention, unit: 86_400, in: 1...3_650)),
        Setting(
            key: "config", placeholder: "FILE", defaultText: "none", meaning: "YAML file with any of the others",
            example: "/etc/pspd.yaml", isInFile: false, apply: { _, _ in }),
        Setting(
            key: "log-level", placeholder: "LEVEL", defaultText: "info",
            meaning: "trace, debug, info, notice, warning, error or critical", example: "debug",
            apply: { text, configuration throws(UnusableValue) in
                configuration.logLevel = try oneOf(Logger.Level.allCases, text)
            }),
        Setting(
            key: "log-format", placeholder: "FORMAT", defaultText: "auto",
            meaning: "text, json (a line each), or auto: text on a terminal, json else", example: "json",
            apply: { text, configuration throws(UnusableValue) in
                configuration.logFormat = try oneOf(LogFormat.allCases, text)
            }),
        Setting(
            key: "http-plain", placeholder: "N", defaultText: "0",
            meaning: "1: use nothing of libevent that its headers do not promise; slower", example: "1",
            apply: { text, configuration throws(UnusableValue) in
                configuration.usesPlainLibevent = try wholeNumber(text, in: 0...1) == 1
            }),
    ]

    /// Variables of `pspctl`, which an operator may have exported in the shell that starts `pspd`.
    static let environmentOfOthers: Set<String> = ["PSP_APP", "PSP_SECRET"]

    /// The setting that names the file.
    static let configKey = "config"

    typealias Apply = @Sendable (String, inout ServerConfiguration) throws(UnusableValue) -> Void

    /// A listener that can be switched off.
    static func listener(_ field: any WritableKeyPath<ServerConfiguration, SocketAddress?> & Sendable) -> Apply {
        { text, configuration throws(UnusableValue) in
            configuration[keyPath: field] = text == "off" ? nil : try address(text, orElse: ", or off")
        }
    }

    private static func address(_ text: String, orElse others: String = "") throws(UnusableValue) -> SocketAddress {
        do throws(LibeventError) {
            return try SocketAddress(parsing: text)
        } catch {
            let examples = "such as 127.0.0.1:8080 or [::1]:8080"
            throw UnusableValue(expected: "a numeric address and a port, \(examples)\(others)")
        }
    }

    private static func path(_ field: any WritableKeyPath<ServerConfiguration, String> & Sendable) -> Apply {
        { text, configuration throws(UnusableValue) in
            guard !text.isEmpty, !text.utf8.contains(0) else { throw UnusableValue(expected: "a path") }
            configuration[keyPath: field] = text
        }
    }

    private static func number(
        _ field: any WritableKeyPath<ServerConfiguration, Int> & Sendable, in range: ClosedRange<Int>
    ) -> Apply {
        { text, configuration throws(UnusableValue) in
            configuration[keyPath: field] = try wholeNumber(text, in: range)
        }
    }

    static func duration(
        _ field: any WritableKeyPath<ServerConfiguration, Duration> & Sendable, unit: Int, in range: ClosedRange<Int>
    ) -> Apply {
        { text, configuration throws(UnusableValue) in
            configuration[keyPath: field] = .seconds(try wholeNumber(text, in: range) * unit)
        }
    }

    static func wholeNumber(_ text: String, in range: ClosedRange<Int>) throws(UnusableValue) -> Int {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text), range.contains(number) else {
            throw UnusableValue(expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    static func oneOf<Choice: RawRepresentable<String>>(
        _ choices: [Choice], _ text: String
    ) throws(UnusableValue) -> Choice {
        guard let choice = choices.first(where: { $0.rawValue == text }) else {
            throw UnusableValue(expected: "one of " + choices.map(\.rawValue).joined(separator: ", "))
        }
        return choice
    }
}
