internal import Libevent
internal import Push

extension Setting {
    /// What concerns TLS, in the order of the help.
    static let ofTLS: [Setting] = [
        Setting(
            key: "https", placeholder: "ADDR:PORT", defaultText: "off",
            meaning: BilingualText("带 TLS 的 REST 监听地址，或 off", "REST listener with TLS, or off"),
            example: "0.0.0.0:8443", apply: listener(\.https)),
        Setting(
            key: "mqtts", placeholder: "ADDR:PORT", defaultText: "off",
            meaning: BilingualText("带 TLS 的设备监听地址，或 off", "device listener with TLS, or off"),
            example: "0.0.0.0:8883", apply: listener(\.mqtts)),
        Setting(
            key: "admins", placeholder: "ADDR:PORT", defaultText: "off",
            meaning: BilingualText(
                "带 TLS 的运维监听地址，在 --admin 之外，或 off", "operators' listener with TLS, beside the one of --admin, or off"),
            example: "0.0.0.0:8444",
            apply: listener(\.admins)),
        Setting(
            key: "tls-cert", placeholder: "FILE", defaultText: "none",
            meaning: BilingualText(
                "带 TLS 的监听的证书，以及它与根之间的证书（PEM）", "certificate of the listeners with TLS, and those between it and the root (PEM)"),
            example: "/etc/pspd/fullchain.pem", apply: file(\.certificate)),
        Setting(
            key: "tls-key", placeholder: "FILE", defaultText: "none",
            meaning: BilingualText("该证书的私钥，没有口令（PEM）", "private key of that certificate, without a passphrase (PEM)"),
            example: "/etc/pspd/privkey.pem",
            apply: file(\.key)),
        Setting(
            key: "tls-client-ca", placeholder: "FILE", defaultText: "none",
            meaning: BilingualText(
                "设备证书的签发机构；设置后向设备索要证书，设备可以没有（PEM）",
                "authorities of devices' certificates, which are then asked for and may be missing (PEM)"),
            example: "/etc/pspd/devices-ca.pem", apply: file(\.clientAuthorities)),
        Setting(
            key: "tls-ticket-keys", placeholder: "FILE", defaultText: "none",
            meaning: BilingualText(
                "多台服务器共用的会话票据密钥，每行一个：80 字节的 base64；第一个用于加密",
                "keys of session tickets that several servers share, one a line: 80 bytes in base64; the first seals"),
            example: "/etc/pspd/ticket.keys", apply: file(\.ticketKeys)),
        Setting(
            key: "tls-min", placeholder: "VERSION", defaultText: "1.2",
            meaning: BilingualText("最低的 TLS 版本：1.2 或 1.3", "oldest version of TLS: 1.2 or 1.3"),
            example: "1.3",
            apply: Apply { text, configuration throws(UnusableValue) in
                configuration.tls.policy.minimum = try oneOf(TLSPolicy.Version.allCases, text)
            }),
        Setting(
            key: "tls-ciphers", placeholder: "LIST", defaultText: TLSPolicy().ciphers,
            meaning: BilingualText("TLS 1.2 的密码套件，按 OpenSSL 列表的写法", "cipher suites of TLS 1.2, as OpenSSL's lists name them"),
            example: "ECDHE+AESGCM",
            apply: Apply { text, configuration throws(UnusableValue) in
                configuration.tls.policy.ciphers = try list(text)
            }),
        Setting(
            key: "tls-suites", placeholder: "LIST", defaultText: "OpenSSL's",
            meaning: BilingualText("TLS 1.3 的密码套件，以冒号分隔", "cipher suites of TLS 1.3, by colons"),
            example: "TLS_AES_128_GCM_SHA256", apply: names(\.suites)),
        Setting(
            key: "tls-groups", placeholder: "LIST", defaultText: "OpenSSL's",
            meaning: BilingualText("密钥交换的群，以冒号分隔，优先的在前", "groups of the key exchange, by colons, the best first"),
            example: "X25519:P-256", apply: names(\.groups)),
        Setting(
            key: "tls-sigalgs", placeholder: "LIST", defaultText: "OpenSSL's",
            meaning: BilingualText("签名算法，以冒号分隔", "signature algorithms, by colons"),
            example: "ECDSA+SHA256:RSA-PSS+SHA256", apply: names(\.signatureAlgorithms)),
    ]

    /// `none` is no file, as the help shows it.
    private static func file(_ field: any WritableKeyPath<TLSSettings, String?> & Sendable) -> Apply {
        Apply { text, configuration throws(UnusableValue) in
            guard !text.isEmpty, !text.utf8.contains(0) else {
                throw UnusableValue(expected: BilingualText("路径，或 none", "a path, or none"))
            }
            configuration.tls[keyPath: field] = text == "none" ? nil : text
        }
    }

    private static func names(_ field: any WritableKeyPath<TLSPolicy, String?> & Sendable) -> Apply {
        Apply { text, configuration throws(UnusableValue) in
            configuration.tls.policy[keyPath: field] = text == "OpenSSL's" ? nil : try list(text)
        }
    }

    /// Which names there are OpenSSL decides, at the start.
    private static func list(_ text: String) throws(UnusableValue) -> String {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw UnusableValue(expected: BilingualText("OpenSSL 所接受的名称列表", "a list of names, as OpenSSL takes it"))
        }
        return text
    }
}
