internal import Push

/// What the command line asks for.
enum Invocation: Hashable, Sendable {
    case help
    case version
    /// Whether it could serve with these settings, by their keys; on the ports too, unless it is told not to try them.
    case check([String: GivenValue], triesPorts: Bool)
    /// By the settings' keys.
    case serve([String: GivenValue])

    /// Reads `--flag value` and `--flag=value`. When a flag is given twice, the last one counts: so a script may append
    /// flags to those that it was given.
    init(arguments: [String]) throws(SettingsError) {
        var given: [String: GivenValue] = [:]
        var rest = arguments[...]
        var (isCheck, triesPorts) = (false, true)
        while let argument = rest.popFirst() {
            switch argument {
            case "-h", "--help":
                self = .help
                return
            case "--version":
                self = .version
                return
            case "--check":
                isCheck = true
                continue
            case "--check=no-ports":
                (isCheck, triesPorts) = (true, false)
                continue
            default: break
            }
            if argument.hasPrefix("--check=") {
                throw SettingsError(
                    BilingualText(
                        "\(argument)：--check 也试端口，--check=no-ports 不试；没有其他写法",
                        "\(argument): --check tries the ports too, --check=no-ports does not; there is no other"))
            }
            let name = String(argument.prefix { $0 != "=" })
            guard argument.hasPrefix("--") else {
                let shown = argument.debugDescription
                throw SettingsError(
                    BilingualText("多余的参数 \(shown)；见 pspd --help", "unexpected argument \(shown); see pspd --help"))
            }
            guard let setting = Setting.all.first(where: { $0.flag == name }) else {
                throw SettingsError(BilingualText("未知的参数 \(name)；见 pspd --help", "unknown flag \(name); see pspd --help"))
            }
            let text: String
            if name.count < argument.count {
                text = String(argument.dropFirst(name.count + 1))
            } else if let next = rest.popFirst() {
                text = next
            } else {
                throw SettingsError(
                    BilingualText("\(name)：后面应为 \(setting.placeholder)", "\(name): expected \(setting.placeholder) after it"))
            }
            given[setting.key] = GivenValue(text: text, origin: .flag(name))
        }
        self = isCheck ? .check(given, triesPorts: triesPorts) : .serve(given)
    }
}
