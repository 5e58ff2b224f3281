package import Push

/// Where a list of a task's devices goes on. The task's organisations come in the order of their numbers, each one's devices in
/// that of their ordinals; then those that joined.
package enum RecipientPlace: Hashable, Sendable {
    case member(org: UInt32, after: UInt32?)
    case joined(after: UInt32?)

    /// Where the list begins.
    package static let start = RecipientPlace.member(org: 0, after: nil)

    /// - Returns: `nil` for what no such list gave out.
    package init?(_ token: PageToken) {
        let text = token.text
        let isJoined = text.first == "j"
        let parts = text.drop { $0 == "j" }.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == (isJoined ? 1 : 2), let last = parts.last else { return nil }
        let after = UInt32(last)
        guard after != nil || last == "-" else { return nil }
        if isJoined {
            self = .joined(after: after)
        } else {
            guard let org = UInt32(parts[0]) else { return nil }
            self = .member(org: org, after: after)
        }
    }

    /// As it is given out.
    package var token: PageToken {
        switch self {
        case .member(let org, let after): PageToken("\(org)." + (after.map(String.init) ?? "-"))
        case .joined(let after): PageToken("j" + (after.map(String.init) ?? "-"))
        }
    }
}
