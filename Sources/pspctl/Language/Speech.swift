import Foundation
import Push

/// The language in which the program speaks.
enum Speech {
    /// As the environment wants it; tests choose for themselves.
    @TaskLocal static var language = Language(environment: ProcessInfo.processInfo.environment)

    /// The header by which the server answers in it.
    static var acceptLanguage: String {
        switch language {
        case .chinese: "zh"
        case .english: "en"
        }
    }
}

/// A text of the program, in both languages side by side: whoever writes one writes the other, or it does not compile.
func say(_ english: @autoclosure () -> String, _ chinese: @autoclosure () -> String) -> String {
    switch Speech.language {
    case .english: english()
    case .chinese: chinese()
    }
}

extension Language {
    /// Chinese where the locale for messages is Chinese: `LC_ALL` before `LC_MESSAGES` before `LANG` (POSIX, "Environment
    /// Variables" 8.2); an empty one is as if it were not set.
    init(environment: [String: String]) {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        self = locale?.lowercased().hasPrefix("zh") == true ? .chinese : .english
    }
}
