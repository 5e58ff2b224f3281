internal import Push

/// The settings' table for people, in their language.
struct SettingsHelp {
    let language: Language

    private func say(_ chinese: String, _ english: String) -> String { BilingualText(chinese, english).text(in: language) }

    /// What `pspd --help` prints.
    var text: String {
        ([head] + Setting.all.map(paragraph) + [tail]).joined(separator: "\n\n") + "\n"
    }

    private var head: String {
        say(
            """
            pspd：推送服务器。调用方通过 REST 推送，设备通过 MQTT 3.1.1 或 5.0 接收。

            用法：pspd [--FLAG VALUE]...

            不做任何配置即可运行。参数优先于环境变量，环境变量优先于文件，文件优先于默认值。
            """,
            """
            pspd: push server. Callers push by REST, devices receive by MQTT 3.1.1 or 5.0.

            usage: pspd [--FLAG VALUE]...

            Runs with no settings at all. A flag beats the environment beats the file beats the default.
            """)
    }

    private func paragraph(_ setting: Setting) -> String {
        let file = setting.isInFile ? "   \(say("文件：", "file: "))\(setting.key)" : ""
        let range = setting.apply.range.map { range in
            "   \(say("范围：", "range: "))"
                + say("\(range.lowerBound) 到 \(range.upperBound)", "\(range.lowerBound) to \(range.upperBound)")
        }
        return """
              \(setting.flag) \(setting.placeholder)
                  \(setting.meaning.text(in: language))
                  \(say("默认：", "default: "))\(defaultText(of: setting))\(range ?? "")
                  \(say("示例：", "example: "))\(setting.flag) \(setting.example)
                  \(say("环境变量：", "environment: "))\(setting.environment)\(file)
            """
    }

    private var tail: String {
        say(
            """
              --check
                  判断配置、TLS 的文件、数据目录和端口，然后结束；不更改任何东西
              --check=no-ports
                  同上，但不试端口：为另一台机器检查配置时使用
              --version
                  打印版本，然后结束
              -h, --help
                  打印本说明，然后结束

            开始服务时在标准输出上打印 `ready http=… mqtt=… admin=…`；日志写到标准错误，为英文。
            收到 SIGTERM 或 SIGINT 后以 0 结束；配置无法生效时为 2；其他意外为 1。
            """,
            """
              --check
                  judge the settings, the files of TLS, the data directory and the ports, and end; nothing is changed
              --check=no-ports
                  the same without the ports: for the settings of another machine
              --version
                  print the version and end
              -h, --help
                  print this and end

            Prints `ready http=… mqtt=… admin=…` on standard output when it serves; logs go to standard error.
            Ends with 0 after SIGTERM or SIGINT, with 2 when a setting cannot work, with 1 for anything unexpected.
            """)
    }

    /// The same as a table, for `docs/configuration.md` and its Chinese twin.
    var markdownTable: String {
        let none = say("无", "none")
        let head = [
            say(
                "| 参数 | 环境变量 | 文件中的键 | 默认值 | 范围 | 含义 | 示例 |",
                "| flag | environment | key in the file | default | range | meaning | example |"),
            "|---|---|---|---|---|---|---|",
        ]
        let rows = Setting.all.map { setting in
            "| `\(setting.flag) \(setting.placeholder)` | `\(setting.environment)` | "
                + (setting.isInFile ? "`\(setting.key)`" : none)
                + " | \(defaultText(of: setting)) | \(setting.apply.range.map { "\($0.lowerBound)–\($0.upperBound)" } ?? "")"
                + " | \(setting.meaning.text(in: language)) | `\(setting.example)` |"
        }
        return (head + rows).joined(separator: "\n")
    }

    /// A default is a value, which reads alike in both languages, but for these.
    private func defaultText(of setting: Setting) -> String {
        switch setting.defaultText {
        case "none": say("无", "none")
        case "OpenSSL's": say("OpenSSL 的默认", "OpenSSL's")
        case "cores": say("CPU 核数", "cores")
        case "host name": say("主机名", "host name")
        case "made at first start, kept in DIR/admin.token":
            say("首次启动时生成，保存在 DIR/admin.token", "made at first start, kept in DIR/admin.token")
        default: setting.defaultText
        }
    }
}
