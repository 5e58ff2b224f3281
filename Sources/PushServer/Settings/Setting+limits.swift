internal import Gateway
internal import Libevent
internal import Push

extension Setting {
    /// What connections may do, in the order of the help. 0 is no bound.
    static let ofLimits: [Setting] = [
        Setting(
            key: "connections-per-address", placeholder: "N", defaultText: "0",
            meaning: BilingualText(
                "一个客户端地址同时的连接数，调用方和设备分别计算；0：不限",
                "connections of one client address at a time, of callers and of devices each; 0: any"), example: "200",
            apply: bound(\.connections.perAddress)),
        Setting(
            key: "connects-per-second", placeholder: "N", defaultText: "0",
            meaning: BilingualText(
                "每秒的新连接数，调用方和设备分别计算；0：不限", "new connections in a second, of callers and of devices each; 0: any"),
            example: "2000",
            apply: bound(\.connections.perSecond)),
        Setting(
            key: "connects-per-address", placeholder: "N", defaultText: "0",
            meaning: BilingualText(
                "一个客户端地址每秒的新连接数，同样分别计算；0：不限", "new connections of one client address in a second, likewise; 0: any"),
            example: "50",
            apply: bound(\.connections.perSecondOfAddress)),
        Setting(
            key: "connect-timeout", placeholder: "SECONDS", defaultText: "10",
            meaning: BilingualText(
                "设备从建立连接到完整的 CONNECT 允许的时间", "how long a device may take from its connection to a complete CONNECT"),
            example: "20",
            apply: duration(\.connectTimeout, unit: 1, in: 1...600)),
        Setting(
            key: "request-timeout", placeholder: "SECONDS", defaultText: "600",
            meaning: BilingualText(
                "一个请求从第一个字节到最后一个字节允许的时间，不论进展如何",
                "how long a request may take from its first byte to its last, whatever progress it makes"), example: "60",
            apply: duration(\.requestTimeout, unit: 1, in: 1...86_400)),
        Setting(
            key: "max-body", placeholder: "BYTES", defaultText: "65536",
            meaning: BilingualText("请求体的最大字节数，导入的文本除外", "the largest body of a request, an import's text apart"),
            example: "16384",
            apply: number(\.largestBody, in: 4_096...1_048_576)),
        Setting(
            key: "max-head", placeholder: "BYTES", defaultText: "16384",
            meaning: BilingualText("请求头（首行和各头部）的最大字节数", "the largest head of a request: its first line and its headers"),
            example: "8192",
            apply: number(\.largestHead, in: 4_096...65_536)),
        Setting(
            key: "max-packet", placeholder: "BYTES", defaultText: "16384",
            meaning: BilingualText("设备可发送的最大报文", "the largest packet that a device may send"), example: "4096",
            apply: number(\.largestPacket, in: 1_024...65_536)),
        Setting(
            key: "receipts-per-minute", placeholder: "N", defaultText: "600",
            meaning: BilingualText(
                "一台设备每分钟的回执数，其余的到下一分钟才处理；0：不限", "receipts of a device in a minute, the rest is taken in the next; 0: any"),
            example: "60",
            apply: bound(\.receiptsPerMinute, to: 60_000)),
        Setting(
            key: "reconnects-per-minute", placeholder: "N", defaultText: "30",
            meaning: BilingualText(
                "一台设备每分钟可以连接多少次，超过后每次等待 5 秒；0：不限",
                "how often a device may connect in a minute before it waits 5 s each time; 0: any"), example: "10",
            apply: bound(\.reconnectsPerMinute)),
        Setting(
            key: "failed-logins", placeholder: "N", defaultText: "0",
            meaning: BilingualText(
                "一个地址对一个设备标识每分钟失败的 CONNECT 数，超过后从该地址的一律拒绝；0：不限",
                "failed CONNECTs of one address for one device token in a minute, then all are refused from there; 0: any"),
            example: "10", apply: bound(\.logins.perName)),
        Setting(
            key: "failed-logins-per-address", placeholder: "N", defaultText: "0",
            meaning: BilingualText("同上，一个地址对任意设备标识；0：不限", "the same of one address for whatever tokens; 0: any"), example: "100",
            apply: bound(\.logins.perAddress)),
    ]

    private static func bound(
        _ field: any WritableKeyPath<ServerConfiguration, Int?> & Sendable, to most: Int = 1_000_000
    ) -> Apply {
        Apply(range: 0...most) { text, configuration throws(UnusableValue) in
            let number = try wholeNumber(text, in: 0...most)
            configuration[keyPath: field] = number == 0 ? nil : number
        }
    }
}
