/// The settings' table for people.
enum SettingsHelp {
    /// What `pspd --help` prints.
    static var text: String {
        var lines = [
            "pspd: push server. Callers push by REST, devices receive by MQTT 3.1.1 or 5.0.",
            "",
            "usage: pspd [--FLAG VALUE]...",
            "",
            "Runs with no settings at all. A flag beats the environment beats the file beats the default.",
            "",
        ]
        for setting in Setting.all {
            lines += [
                "  \(setting.flag) \(setting.placeholder)",
                "      \(setting.meaning)",
                "      default: \(setting.defaultText)",
                "      example: \(setting.flag) \(setting.example)",
                "      environment: \(setting.environment)" + (setting.isInFile ? "   file: \(setting.key)" : ""),
                "",
            ]
        }
        lines += [
            "  --check",
            "      judge the settings, the files of TLS and the data directory, and end; takes no port and changes nothing",
            "  --version",
            "      print the version and end",
            "  -h, --help",
            "      print this and end",
            "",
            "Prints `ready http=… mqtt=… admin=…` on standard output when it serves; logs go to standard error.",
            "Ends with 0 after SIGTERM or SIGINT, with 2 when a setting cannot work, with 1 for anything unexpected.",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    /// The same as a table, for `docs/configuration.md`.
    static var markdownTable: String {
        let head = [
            "| flag | environment | key in the file | default | meaning | example |",
            "|---|---|---|---|---|---|",
        ]
        let rows = Setting.all.map { setting in
            "| `\(setting.flag) \(setting.placeholder)` | `\(setting.environment)` | "
                + (setting.isInFile ? "`\(setting.key)`" : "none")
                + " | \(setting.defaultText) | \(setting.meaning) | `\(setting.example)` |"
        }
        return (head + rows).joined(separator: "\n")
    }
}
