import Foundation
import Push

/// The language in which the program speaks.
enum Speech {
    /// As the environment wants it; tests choose for themselves.
    @TaskLocal static var language = Language { ProcessInfo.processInfo.environment[$0] }

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
