internal import Base
internal import Libevent

extension Setting {
    /// Whose word about clients counts, in the order of the help.
    static let ofProxies: [Setting] = [
        Setting(
            key: "proxy-protocol-from", placeholder: "RANGES", defaultText: "none",
            meaning: "balancers whose connections to the device listeners begin with the PROXY protocol (1 or 2), by commas",
            example: "10.0.0.0/8,192.0.2.7", apply: ranges(\.devicesProxies)),
        Setting(
            key: "forwarded-from", placeholder: "RANGES", defaultText: "none",
            meaning: "balancers before the REST listeners whose header tells the client's address, by commas",
            example: "10.0.0.0/8", apply: ranges(\.callersProxies)),
        Setting(
            key: "forwarded-header", placeholder: "NAME", defaultText: HTTPForwarding.standardHeader,
            meaning: "that header, a list of addresses; its last that is no balancer's counts", example: "X-Real-IP",
            apply: { text, configuration throws(UnusableValue) in
                guard HTTPForwarding.canBeHeader(text) else {
                    throw UnusableValue(expected: "a header's name, and not that of RFC 7239, Forwarded")
                }
                configuration.forwardedHeader = text
            }),
    ]

    private static func ranges(_ field: any WritableKeyPath<ServerConfiguration, [AddressRange]> & Sendable) -> Apply {
        { text, configuration throws(UnusableValue) in
            var found: [AddressRange] = []
            for part in text == "none" ? [] : text.split(separator: ",", omittingEmptySubsequences: false) {
                guard let range = AddressRange(part.trimmingPrefix { $0 == " " }) else {
                    throw UnusableValue(expected: "addresses or ranges by commas, such as 10.0.0.0/8,::1, or none")
                }
                found.append(range)
            }
            configuration[keyPath: field] = found
        }
    }
}
