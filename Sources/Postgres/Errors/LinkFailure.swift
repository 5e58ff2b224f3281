/// What libpq says of a failed attempt to connect, with a server's words at full length: the code is taken out of them, and so
/// are the host and the place in the server's source. One line.
struct LinkFailure: Hashable {
    private(set) var text: String
    /// By which the server has refused; of several attempts at one host the last.
    private(set) var state: SQLState?

    /// - Parameter message: as in `FATAL:  53300: sorry, too many clients already`, with a line `LOCATION:  …` behind it.
    init(_ message: String) {
        text = ""
        var lines: [String] = []
        for line in message.split(separator: "\n", omittingEmptySubsequences: false) where !line.hasPrefix("LOCATION:  ") {
            guard let (code, rest) = Self.code(in: line) else {
                lines.append(String(line))
                continue
            }
            state = SQLState(String(code))
            lines.append("\(line[..<code.startIndex])\(rest)")
        }
        text = Self.withoutPlace(lines.joined(separator: "\n").trimmed)
    }

    /// Libpq begins with the host, which whoever tells the failure names himself.
    private static func withoutPlace(_ text: String) -> String {
        guard text.hasPrefix("connection to server "), let place = text.firstRange(of: " failed: ") else { return text }
        return String(text[place.upperBound...])
    }

    /// Between the severity, which is of the server's language, and its words.
    private static func code(in line: Substring) -> (code: Substring, rest: Substring)? {
        for range in line.ranges(of: ":  ") {
            let code = line[range.upperBound...].prefix(5)
            let rest = line[code.endIndex...]
            guard code.utf8.count == 5, code.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) }),
                rest.hasPrefix(": ")
            else { continue }
            return (code, rest.dropFirst(2))
        }
        return nil
    }
}
