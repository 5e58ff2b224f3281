internal import Libevent
internal import Logging
internal import Push

/// One setting of `pspd`. The table ``all`` is the only list of them: flags, environment, file, `--help` and
/// `docs/configuration.md` follow from it.
struct Setting: Sendable {
    /// The key in the YAML file: `admin-token`.
    let key: String
    let placeholder: String
    /// As people read it; what it means in values is ``ServerConfiguration``.
    let defaultText: String
    let meaning: BilingualText
    let example: String
    /// A value that no message shows.
    var isSecret = false
    /// Whether it may stand in the YAML file; the file's own name may not.
    var isInFile = true
    /// Reads the text of a value into the configuration.
    let apply: Apply

    /// How a value is read.
    struct Apply: Sendable {
        typealias Read = @Sendable (String, inout ServerConfiguration) throws(UnusableValue) -> Void

        /// Where it is a whole number: which ones there are.
        let range: ClosedRange<Int>?
        private let read: Read

        init(range: ClosedRange<Int>? = nil, _ read: @escaping Read) { (self.range, self.read) = (range, read) }

        func callAsFunction(_ text: String, _ configuration: inout ServerConfiguration) throws(UnusableValue) {
            try read(text, &configuration)
        }
    }

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
    let expected: BilingualText
}

extension Setting {
    /// In the order of the help.
    static let all: [Setting] = listeners + ofTLS + ofProxies + ofLimits + ofStore + rest

    private static let listeners: [Setting] = [
        Setting(
            key: "http", placeholder: "ADDR:PORT", defaultText: "0.0.0.0:8080",
            meaning: BilingualText("REST 监听地址，或 off", "REST listener, or off"),
            example: "127.0.0.1:8080", apply: listener(\.http)),
        Setting(
            key: "mqtt", placeholder: "ADDR:PORT", defaultText: "0.0.0.0:1883",
            meaning: BilingualText("设备监听地址，或 off", "device listener, or off"),
            example: "[::]:1883", apply: listener(\.mqtt)),
        Setting(
            key: "admin", placeholder: "ADDR:PORT", defaultText: "127.0.0.1:8081",
            meaning: BilingualText(
                "运维监听地址：/psp/admin/…、/metrics、/healthz、/readyz",
                "operators' listener: /psp/admin/…, /metrics, /healthz, /readyz"),
            example: "127.0.0.1:0",
            apply: Apply { text, configuration throws(UnusableValue) in configuration.admin = try address(text) }),
    ]

    private static let rest: [Setting] = [
        Setting(
            key: "operator-session", placeholder: "MINUTES", defaultText: "720",
            meaning: BilingualText("运维账号登录后的有效时间", "how long an operator who has logged in stays so"), example: "480",
            apply: duration(\.operatorSession, unit: 60, in: 1...525_600)),
        Setting(
            key: "loops", placeholder: "N", defaultText: "cores",
            meaning: BilingualText("事件循环数，各占一个线程", "event loops, one thread each"), example: "4",
            apply: number(\.loops, in: 1...256)),
        Setting(
            key: "window", placeholder: "N", defaultText: "20",
            meaning: BilingualText("每台设备允许的未确认消息数", "unacknowledged messages a device may have"),
            example: "50", apply: number(\.window, in: 1...1_000)),
        Setting(
            key: "ack-timeout", placeholder: "SECONDS", defaultText: "300",
            meaning: BilingualText(
                "消息未确认多久之后断开该设备", "how long a message may be unacknowledged before its device is disconnected"), example: "600",
            apply: duration(\.acknowledgementTimeout, unit: 1, in: 1...86_400)),
        Setting(
            key: "http-idle", placeholder: "SECONDS", defaultText: "75",
            meaning: BilingualText("HTTP 连接在两次请求之间保留多久", "how long an HTTP connection is kept between two requests"),
            example: "130",
            apply: duration(\.httpIdleTime, unit: 1, in: 1...86_400)),
        Setting(
            key: "http-connections", placeholder: "N", defaultText: "16384",
            meaning: BilingualText("每个事件循环最多保留的调用方连接数", "callers' connections that each loop holds"), example: "1000",
            apply: number(\.httpConnections, in: 1...1_000_000)),
        Setting(
            key: "store-wait", placeholder: "SECONDS", defaultText: "5",
            meaning: BilingualText(
                "一条推送最多等待存储多久，超过即以 2302 拒绝", "how long a push waits for the store before it is refused with 2302"), example: "2",
            apply: duration(\.storeWait, unit: 1, in: 1...3_600)),
        Setting(
            key: "app-rate", placeholder: "N", defaultText: "0",
            meaning: BilingualText(
                "没有单独设置上限的应用每秒最多推送的条数；0 表示不限", "pushes a second of an app that has no bound of its own; 0: any number"),
            example: "200",
            apply: number(\.appRate, in: 0...1_000_000_000)),
        Setting(
            key: "app-daily", placeholder: "N", defaultText: "0",
            meaning: BilingualText(
                "没有单独设置上限的应用每天（UTC）最多推送的条数；0 表示不限", "pushes a day (UTC) of an app that has no bound of its own; 0: any number"),
            example: "1000000",
            apply: number(\.appDaily, in: 0...1_000_000_000)),
        Setting(
            key: "drain-delay", placeholder: "SECONDS", defaultText: "0",
            meaning: BilingualText(
                "收到 SIGTERM 后以未就绪状态继续服务多久，让负载均衡先撤走",
                "how long it serves on after SIGTERM, not ready, so that balancers turn away first"), example: "6",
            apply: duration(\.drainDelay, unit: 1, in: 0...3_600)),
        Setting(
            key: "drain-rate", placeholder: "N", defaultText: "0",
            meaning: BilingualText("停止时每秒断开的设备数；0：一次全部断开", "devices a second that it disconnects at its end; 0: all at once"),
            example: "500",
            apply: number(\.drainRate, in: 0...1_000_000)),
        Setting(
            key: "timestamp-window", placeholder: "SECONDS", defaultText: "600",
            meaning: BilingualText("调用方的 timestamp 与服务器时钟允许的差距", "how far a caller's timestamp may be from the server's clock"),
            example: "300",
            apply: duration(\.timestampWindow, unit: 1, in: 1...86_400)),
        Setting(
            key: "task-retention", placeholder: "DAYS", defaultText: "30",
            meaning: BilingualText("任务结束后保留多久", "how long a task is kept after it ended"),
            example: "90", apply: duration(\.taskRetention, unit: 86_400, in: 1...3_650)),
        Setting(
            key: "audit-retention", placeholder: "DAYS", defaultText: "180",
            meaning: BilingualText("审计记录和拒绝计数保留多久", "how long audit entries and counts of refusals are kept"), example: "365",
            apply: duration(\.auditRetention, unit: 86_400, in: 1...3_650)),
        Setting(
            key: "audit-log", placeholder: "FILE", defaultText: "none",
            meaning: BilingualText(
                "除存储之外，审计日志还以 JSON 行写到哪里：文件、syslog 或 none",
                "where the audit log goes as JSON lines besides the store: a file, syslog, or none"),
            example: "/var/log/pspd/audit.json",
            apply: Apply { text, configuration throws(UnusableValue) in
                guard !text.isEmpty, !text.utf8.contains(0) else {
                    throw UnusableValue(expected: BilingualText("路径、syslog 或 none", "a path, syslog, or none"))
                }
                configuration.auditDestination =
                    switch text {
                    case "none": nil
                    case "syslog": .systemLog
                    default: .file(text)
                    }
            }),
        Setting(
            key: "config", placeholder: "FILE", defaultText: "none",
            meaning: BilingualText("含其他各项的 YAML 文件", "YAML file with any of the others"),
            example: "/etc/pspd.yaml", isInFile: false,
            apply: Apply { text, configuration throws(UnusableValue) in configuration.settingsFile = text }),
        Setting(
            key: "log-level", placeholder: "LEVEL", defaultText: "info",
            meaning: BilingualText(
                "trace、debug、info、notice、warning、error 或 critical", "trace, debug, info, notice, warning, error or critical"),
            example: "debug",
            apply: Apply { text, configuration throws(UnusableValue) in
                configuration.logLevel = try oneOf(Logger.Level.allCases, text)
            }),
        Setting(
            key: "log-format", placeholder: "FORMAT", defaultText: "auto",
            meaning: BilingualText(
                "text、json（每行一个），或 auto：终端上用 text，其余用 json", "text, json (a line each), or auto: text on a terminal, json else"),
            example: "json",
            apply: Apply { text, configuration throws(UnusableValue) in
                configuration.logFormat = try oneOf(LogFormat.allCases, text)
            }),
        Setting(
            key: "http-plain", placeholder: "N", defaultText: "0",
            meaning: BilingualText(
                "1：只使用 libevent 头文件承诺的功能；较慢", "1: use nothing of libevent that its headers do not promise; slower"), example: "1",
            apply: Apply(range: 0...1) { text, configuration throws(UnusableValue) in
                configuration.usesPlainLibevent = try wholeNumber(text, in: 0...1) == 1
            }),
    ]

    /// A token of the operators that is shorter, in bytes, is easily guessed. The one that is made is longer.
    static let shortestToken = 16

    /// Whether an operators' token is one of these.
    static func isWeak(token: String) -> Bool { token.utf8.count < shortestToken }

    /// Variables of `pspctl`, which an operator may have exported in the shell that starts `pspd`.
    static let environmentOfOthers: Set<String> = ["PSP_APP", "PSP_SECRET", "PSP_CA"]

    /// The setting that names the file.
    static let configKey = "config"

    /// A listener that can be switched off.
    static func listener(_ field: any WritableKeyPath<ServerConfiguration, SocketAddress?> & Sendable) -> Apply {
        Apply { text, configuration throws(UnusableValue) in
            configuration[keyPath: field] = text == "off" ? nil : try address(text, orElse: BilingualText("，或 off", ", or off"))
        }
    }

    private static func address(_ text: String, orElse others: BilingualText = BilingualText("", "")) throws(UnusableValue)
        -> SocketAddress
    {
        do throws(LibeventError) {
            return try SocketAddress(parsing: text)
        } catch {
            throw UnusableValue(
                expected: BilingualText(
                    "数字形式的地址和端口，例如 127.0.0.1:8080 或 [::1]:8080\(others.chinese)",
                    "a numeric address and a port, such as 127.0.0.1:8080 or [::1]:8080\(others.english)"))
        }
    }

    static func number(
        _ field: any WritableKeyPath<ServerConfiguration, Int> & Sendable, in range: ClosedRange<Int>
    ) -> Apply {
        Apply(range: range) { text, configuration throws(UnusableValue) in
            configuration[keyPath: field] = try wholeNumber(text, in: range)
        }
    }

    static func duration(
        _ field: any WritableKeyPath<ServerConfiguration, Duration> & Sendable, unit: Int, in range: ClosedRange<Int>
    ) -> Apply {
        Apply(range: range) { text, configuration throws(UnusableValue) in
            configuration[keyPath: field] = .seconds(try wholeNumber(text, in: range) * unit)
        }
    }

    static func wholeNumber(_ text: String, in range: ClosedRange<Int>) throws(UnusableValue) -> Int {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text), range.contains(number) else {
            throw UnusableValue(
                expected: BilingualText(
                    "\(range.lowerBound) 到 \(range.upperBound) 的整数",
                    "a whole number from \(range.lowerBound) to \(range.upperBound)"))
        }
        return number
    }

    static func oneOf<Choice: RawRepresentable<String>>(
        _ choices: [Choice], _ text: String
    ) throws(UnusableValue) -> Choice {
        guard let choice = choices.first(where: { $0.rawValue == text }) else {
            let names = choices.map(\.rawValue).joined(separator: ", ")
            throw UnusableValue(expected: BilingualText("\(names) 之一", "one of \(names)"))
        }
        return choice
    }
}
