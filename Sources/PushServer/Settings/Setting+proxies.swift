internal import Base
internal import Libevent
internal import Push

extension Setting {
    /// Whose word about clients counts, in the order of the help.
    static let ofProxies: [Setting] = [
        Setting(
            key: "proxy-protocol-from", placeholder: "RANGES", defaultText: "none",
            meaning: BilingualText(
                "到设备监听的连接以 PROXY 协议（1 或 2）开头的负载均衡，以逗号分隔",
                "balancers whose connections to the device listeners begin with the PROXY protocol (1 or 2), by commas"),
            example: "10.0.0.0/8,192.0.2.7", apply: ranges(\.devicesProxies)),
        Setting(
            key: "forwarded-from", placeholder: "RANGES", defaultText: "none",
            meaning: BilingualText(
                "REST 监听前面、以请求头说明客户端地址的负载均衡，以逗号分隔",
                "balancers before the REST listeners whose header tells the client's address, by commas"),
            example: "10.0.0.0/8", apply: ranges(\.callersProxies)),
        Setting(
            key: "forwarded-header", placeholder: "NAME", defaultText: HTTPForwarding.standardHeader,
            meaning: BilingualText(
                "这个请求头，是一列地址，或 RFC 7239 的 Forwarded；以最后一个不属于负载均衡的为准",
                "that header, a list of addresses, or Forwarded of RFC 7239; its last that is no balancer's counts"),
            example: "X-Real-IP",
            apply: Apply { text, configuration throws(UnusableValue) in
                guard HTTPForwarding.canBeHeader(text) else {
                    throw UnusableValue(expected: BilingualText("请求头的名称", "a header's name"))
                }
                configuration.forwardedHeader = text
            }),
    ]

    private static func ranges(_ field: any WritableKeyPath<ServerConfiguration, [AddressRange]> & Sendable) -> Apply {
        Apply { text, configuration throws(UnusableValue) in
            var found: [AddressRange] = []
            for part in text == "none" ? [] : text.split(separator: ",", omittingEmptySubsequences: false) {
                guard let range = AddressRange(part.trimmingPrefix { $0 == " " }) else {
                    throw UnusableValue(
                        expected: BilingualText(
                            "以逗号分隔的地址或地址段，例如 10.0.0.0/8,::1，或 none",
                            "addresses or ranges by commas, such as 10.0.0.0/8,::1, or none"))
                }
                found.append(range)
            }
            configuration[keyPath: field] = found
        }
    }
}
