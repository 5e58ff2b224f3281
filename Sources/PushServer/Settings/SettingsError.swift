public import Push

/// Settings that cannot work: one clear line, exit code 2.
public struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Without the program's name and without a line break.
    public let text: BilingualText

    /// The same in English.
    public var description: String { text.english }

    init(_ text: BilingualText) {
        self.text = text
    }
}
