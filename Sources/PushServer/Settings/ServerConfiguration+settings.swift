internal import Push
internal import YAML

extension ServerConfiguration {
    /// What `pspd` was told: a flag beats the environment beats the file beats the default.
    /// - Parameters:
    ///   - flags: by the settings' keys.
    ///   - environment: the process's; of it only names that begin with `PSP_` are looked at, and an unknown one is an error.
    ///   - readFile: the bytes of the file that `--config` names.
    init(
        flags: [String: GivenValue], environment: [String: String],
        readFile: (String) throws(FileError) -> [UInt8] = File.read
    ) throws(SettingsError) {
        self.init()
        let fromEnvironment = try Self.given(in: environment)
        var fromFile: [String: GivenValue] = [:]
        if let file = flags[Setting.configKey] ?? fromEnvironment[Setting.configKey] {
            fromFile = try Self.given(inFile: file, readFile: readFile)
        }
        let given = flags.merging(fromEnvironment) { stronger, _ in stronger }.merging(fromFile) { stronger, _ in stronger }
        try Self.refuseAlternatives(given)
        for setting in Setting.all {
            guard let value = given[setting.key] else { continue }
            do throws(UnusableValue) {
                try setting.apply(value.text, &self)
            } catch {
                let shown = setting.isSecret ? nil : value.text.debugDescription
                throw SettingsError(
                    BilingualText(
                        "\(value.origin)：应为：\(error.expected.chinese)" + (shown.map { "，而不是 \($0)" } ?? ""),
                        "\(value.origin): expected \(error.expected.english)" + (shown.map { ", not \($0)" } ?? "")))
            }
        }
    }

    /// Which of the two is meant nobody can tell, not even by where each stands: whoever gave one may not know of the other.
    private static func refuseAlternatives(_ given: [String: GivenValue]) throws(SettingsError) {
        for (first, second) in Setting.alternatives {
            guard let one = given[first], let other = given[second] else { continue }
            throw SettingsError(
                BilingualText(
                    "\(one.origin) 和 \(other.origin) 只能给出一个",
                    "\(one.origin) and \(other.origin): only one of the two may be given"))
        }
    }

    private static func given(in environment: [String: String]) throws(SettingsError) -> [String: GivenValue] {
        var given: [String: GivenValue] = [:]
        for (name, text) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix(Setting.environmentPrefix) {
            guard !Setting.environmentOfOthers.contains(name) else { continue }
            guard let setting = Setting.all.first(where: { $0.environment == name }) else {
                throw SettingsError(
                    BilingualText("未知的环境变量 \(name)；见 pspd --help", "unknown environment variable \(name); see pspd --help"))
            }
            given[setting.key] = GivenValue(text: text, origin: .environment(name))
        }
        return given
    }

    private static func given(
        inFile file: GivenValue, readFile: (String) throws(FileError) -> [UInt8]
    ) throws(SettingsError) -> [String: GivenValue] {
        let path = file.text
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try readFile(path)
        } catch {
            throw SettingsError(error.text.after("\(file.origin)"))
        }
        let mapping: FlatMapping
        do throws(YAMLError) {
            mapping = try FlatMapping(bytes)
        } catch {
            throw SettingsError(error.text.after("\(path):\(error.line)"))
        }
        var given: [String: GivenValue] = [:]
        for pair in mapping.pairs {
            guard Setting.all.contains(where: { $0.key == pair.key && $0.isInFile }) else {
                throw SettingsError(
                    BilingualText("未知的键 \(pair.key)；见 pspd --help", "unknown key \(pair.key); see pspd --help")
                        .after("\(path):\(pair.line)"))
            }
            given[pair.key] = GivenValue(text: pair.value, origin: .file(path: path, line: pair.line, key: pair.key))
        }
        return given
    }
}
