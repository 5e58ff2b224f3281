/// The address of a route: literal text with at most one `{parameter}`, which stands for one whole segment.
struct Pattern: Sendable {
    private let prefix: String
    /// `nil` where the address has no parameter.
    private let suffix: String?

    /// - Parameter text: for example `/psp/push/task/{task_id}/devices`; one of the program's own, not a caller's.
    init(_ text: String) {
        guard let open = text.firstIndex(of: "{"), let close = text.firstIndex(of: "}") else {
            prefix = text
            suffix = nil
            return
        }
        prefix = String(text[..<open])
        suffix = String(text[text.index(after: close)...])
    }

    /// What a path is to a pattern.
    enum Match: Equatable {
        case none
        case literal
        /// The parameter's segment, as it was sent (percent-encoded).
        case parameter(Substring)
    }

    /// Compares a path byte by byte: addresses are case-sensitive, and no segment of ours needs an escape.
    func match(_ path: String) -> Match {
        guard let suffix else { return path == prefix ? .literal : .none }
        let bytes = path.utf8
        guard bytes.count > prefix.utf8.count + suffix.utf8.count, path.hasPrefix(prefix), path.hasSuffix(suffix) else {
            return .none
        }
        let segment = path[
            bytes.index(path.startIndex, offsetBy: prefix.utf8.count)..<bytes.index(path.endIndex, offsetBy: -suffix.utf8.count)]
        return segment.utf8.contains(UInt8(ascii: "/")) ? .none : .parameter(segment)
    }
}
