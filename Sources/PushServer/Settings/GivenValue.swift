/// A value that was given, not yet read.
struct GivenValue: Hashable, Sendable {
    let text: String
    let origin: SettingOrigin
}

/// Where a value was given, as a message names it.
enum SettingOrigin: Hashable, Sendable, CustomStringConvertible {
    case flag(String)
    case environment(String)
    case file(path: String, line: Int, key: String)

    var description: String {
        switch self {
        case .flag(let name), .environment(let name): name
        case .file(let path, let line, let key): "\(path):\(line): \(key)"
        }
    }
}
