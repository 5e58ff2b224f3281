@testable import PushServer

/// The settings' file, and the flags.
enum SettingsTarget {
    static func attempt(_ input: Input) -> CInt {
        if input.pieces.first.map({ $0 % 2 }) == 0 {
            let flags = ["config": GivenValue(text: "f", origin: .flag("--config"))]
            requireSame { () throws(SettingsError) in
                try ServerConfiguration(flags: flags, environment: [:], readFile: { _ throws(FileError) in input.bytes })
            }
        } else {
            let arguments = input.bytes.split(separator: 10, omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            requireSame { () throws(SettingsError) in
                guard case .serve(let given) = try Invocation(arguments: arguments) else { return ServerConfiguration() }
                return try ServerConfiguration(
                    flags: given, environment: [:], readFile: { _ throws(FileError) in Array("{}".utf8) })
            }
        }
        return 0
    }

    /// The same each time: a configuration, or one line that says what is wrong.
    private static func requireSame(_ read: () throws(SettingsError) -> ServerConfiguration) {
        let results = (0..<2).map { _ in Result { () throws(SettingsError) in try read() }.map { String(describing: $0) } }
        require(results[0] == results[1], "read in two ways")
        if case .failure(let error) = results[0] {
            require(!error.description.isEmpty, "an error without words")
            require(!error.description.contains("\n"), "an error of several lines: \(error.description.debugDescription)")
        }
    }
}
