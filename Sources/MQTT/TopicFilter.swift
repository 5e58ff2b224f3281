/// What a subscription asks for: a topic name in which `+` stands for one level and a last `#` for any number (MQTT 5.0 §4.7).
public struct TopicFilter: Equatable, Hashable, Sendable {
    /// The filter as the client wrote it, with `$share/NAME/` if it is shared.
    public let text: String
    /// The length in UTF-8 of `$share/NAME/`; 0 if it is not shared.
    private let sharePrefix: Int

    /// Accepts a well-formed filter; nil for anything else.
    ///
    /// 3.1.1 knows no shared subscriptions: there `$share/…` is a filter like any other.
    public init?(_ text: String, version: ProtocolVersion = .v5) {
        do {
            try self.init(checking: text, version: version)
        } catch {
            return nil
        }
    }

    /// Accepts a well-formed filter; throws the rule that it breaks.
    init(checking text: String, version: ProtocolVersion) throws(Rule) {
        let bytes = text.utf8.span
        if bytes.count > Int(UInt16.max) { throw Rule.topicLength }
        let prefix = version == .v5 ? try Self.sharePrefix(of: bytes) : 0
        try Self.check(bytes, from: prefix)
        self.text = text
        self.sharePrefix = prefix
    }

    /// Whether this is a shared subscription, `$share/NAME/FILTER` (MQTT 5.0 §4.8.2).
    public var isShared: Bool { sharePrefix > 0 }

    /// The name of the share; nil if it is not shared.
    public var shareName: Substring? {
        guard isShared else { return nil }
        let utf8 = text.utf8
        let start = utf8.index(utf8.startIndex, offsetBy: Self.shareKeyword.utf8CodeUnitCount)
        return text[start..<utf8.index(utf8.startIndex, offsetBy: sharePrefix - 1)]
    }

    /// Whether messages of `topicName` are asked for; the name of a share does not matter.
    ///
    /// A first level that is a wildcard never matches a name that begins with `$` [MQTT-4.7.2-1]. `a/#` matches `a` too
    /// (§4.7.1.2).
    public func matches(_ topicName: String) -> Bool {
        let filter = text.utf8.span
        let name = topicName.utf8.span
        var at = sharePrefix
        var position = 0
        if !name.isEmpty, name[0] == .dollar, filter[at] == .plus || filter[at] == .hash { return false }
        while at < filter.count {
            switch filter[at] {
            case .hash:
                return true
            case .plus:
                while position < name.count, name[position] != .slash { position += 1 }
            case let byte where position < name.count && name[position] == byte:
                position += 1
            default:
                return position == name.count && filter[at] == .slash && at + 1 < filter.count && filter[at + 1] == .hash
            }
            at += 1
        }
        return position == name.count
    }
}

extension TopicFilter {
    private static var shareKeyword: StaticString { "$share/" }

    /// The length of `$share/NAME/` at the front of `bytes`; 0 if there is none.
    private static func sharePrefix(of bytes: Span<UInt8>) throws(Rule) -> Int {
        let keyword = shareKeyword.utf8CodeUnitCount
        guard bytes.count >= keyword else { return 0 }
        for index in 0..<keyword where shareKeyword.utf8Start[index] != bytes[index] { return 0 }
        var end = keyword
        while end < bytes.count, bytes[end] != .slash {
            if bytes[end] == .plus || bytes[end] == .hash { throw Rule.shareNameSyntax }
            end += 1
        }
        if end == keyword { throw Rule.shareNameEmpty }
        if end + 1 >= bytes.count { throw Rule.shareNameSyntax }
        return end + 1
    }

    /// The syntax of wildcards, from `start` on.
    private static func check(_ bytes: Span<UInt8>, from start: Int) throws(Rule) {
        if bytes.count == start { throw Rule.topicFilterEmpty }
        for index in start..<bytes.count {
            let byte = bytes[index]
            guard byte == .plus || byte == .hash else { continue }
            let startsLevel = index == start || bytes[index - 1] == .slash
            let isLast = index == bytes.count - 1
            if byte == .hash, !startsLevel || !isLast { throw Rule.multiLevelWildcard }
            if byte == .plus, !startsLevel || !(isLast || bytes[index + 1] == .slash) { throw Rule.singleLevelWildcard }
        }
    }
}

/// The syntax of topic names (MQTT 5.0 §4.7).
enum TopicName {
    enum Fault {
        case empty, wildcard
    }

    /// What is wrong with `name` as a topic name; nil if nothing is.
    static func fault(of name: String) -> Fault? {
        if name.isEmpty { return .empty }
        return name.utf8.contains { $0 == .plus || $0 == .hash } ? .wildcard : nil
    }
}

extension UInt8 {
    static var hash: UInt8 { 0x23 }
    static var dollar: UInt8 { 0x24 }
    static var plus: UInt8 { 0x2B }
    static var slash: UInt8 { 0x2F }
}
