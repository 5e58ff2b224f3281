internal import Push

extension Setting {
    /// Where the store is and who shares it, in the order of the help.
    static let ofStore: [Setting] = [
        Setting(
            key: "store", placeholder: "STORE", defaultText: "sqlite:./data",
            meaning: BilingualText(
                "存储：sqlite:DIR 为嵌入式，postgres://… 由多个节点共用（libpq 的 URI，不含密码）",
                "the store: sqlite:DIR is embedded, postgres://… is shared by several nodes (libpq's URI, without a password)"),
            example: "postgres://psp@db1,db2/psp", isSecret: true,
            apply: Apply { text, configuration throws(UnusableValue) in
                do throws(StoreAddress.Fault) {
                    configuration.store = try StoreAddress(parsing: text)
                } catch {
                    throw error.unusable
                }
            }),
        Setting(
            key: "store-password-file", placeholder: "FILE", defaultText: "none",
            meaning: BilingualText(
                "共用存储的密码所在的文件；只用第一行", "file with the password of a shared store; its first line counts"),
            example: "/etc/pspd/store.password", apply: file(\.storePasswordFile)),
        Setting(
            key: "data", placeholder: "DIR", defaultText: "./data",
            meaning: BilingualText(
                "嵌入式存储的目录，不存在时创建；--store sqlite:DIR 的简写",
                "directory of the embedded store, created if missing: short for --store sqlite:DIR"),
            example: "/var/lib/pspd",
            apply: Apply { text, configuration throws(UnusableValue) in
                guard !text.isEmpty, !text.utf8.contains(0) else {
                    throw UnusableValue(expected: BilingualText("路径", "a path"))
                }
                configuration.store = .sqlite(directory: text)
            }),
        Setting(
            key: "node", placeholder: "NAME", defaultText: "host name",
            meaning: BilingualText(
                "本进程的名称，共用一个存储的各节点不得相同", "what this process is called; nodes that share a store have different names"),
            example: "psp-1",
            apply: Apply { text, configuration throws(UnusableValue) in
                guard let name = NodeName(text) else {
                    throw UnusableValue(
                        expected: BilingualText(
                            "1 到 \(NodeName.longest) 个字母、数字、.、_ 或 -",
                            "1 to \(NodeName.longest) letters, digits, ., _ or -"))
                }
                configuration.node = name
            }),
        Setting(
            key: "admin-token", placeholder: "T", defaultText: "made at first start, kept in DIR/admin.token",
            meaning: BilingualText("管理令牌（运维监听）", "bearer token of the operators' listener"), example: "s3cret",
            isSecret: true,
            apply: Apply { text, configuration throws(UnusableValue) in
                guard !text.isEmpty, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                    throw UnusableValue(expected: BilingualText("不含空格的可打印 ASCII 字符", "printable ASCII without spaces"))
                }
                configuration.adminToken = text
            }),
        Setting(
            key: "admin-token-file", placeholder: "FILE", defaultText: "none",
            meaning: BilingualText("管理令牌所在的文件；只用第一行", "file with that token; its first line counts"),
            example: "/etc/pspd/admin.token", apply: file(\.adminTokenFile)),
    ]

    /// Settings that say the same in two ways: of each pair only one may be given.
    static let alternatives = [("store", "data"), ("admin-token", "admin-token-file")]

    /// `none` is no file, as the help shows it.
    private static func file(_ field: any WritableKeyPath<ServerConfiguration, String?> & Sendable) -> Apply {
        Apply { text, configuration throws(UnusableValue) in
            guard !text.isEmpty, !text.utf8.contains(0) else {
                throw UnusableValue(expected: BilingualText("路径，或 none", "a path, or none"))
            }
            configuration[keyPath: field] = text == "none" ? nil : text
        }
    }
}

extension StoreAddress.Fault {
    /// What would have been right.
    fileprivate var unusable: UnusableValue {
        switch self {
        case .unknown:
            UnusableValue(expected: BilingualText("sqlite:DIR 或 postgres://…", "sqlite:DIR or postgres://…"))
        case .password:
            UnusableValue(
                expected: BilingualText(
                    "不含密码的 postgres://…；密码放在 --store-password-file 指定的文件中，因为参数和环境变量别人也能看到",
                    "postgres://… without a password, which belongs in the file of --store-password-file: others can read "
                        + "arguments and environments"))
        }
    }
}
