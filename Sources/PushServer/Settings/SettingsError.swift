/// Settings that cannot work: one clear line, exit code 2.
public struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Without the program's name and without a line break.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
