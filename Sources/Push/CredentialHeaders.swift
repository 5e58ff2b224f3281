/// The three headers by which a caller shows who it is, as they were sent. Offer it every header of the request.
public struct CredentialHeaders: Hashable, Sendable {
    /// What was sent under one name, in all its spellings.
    enum Header: Hashable, Sendable {
        case absent
        case once(String)
        case repeated

        fileprivate mutating func add(_ value: String) {
            self = self == .absent ? .once(value) : .repeated
        }

        /// Not sent, or sent empty.
        var isMissing: Bool { self == .absent || self == .once("") }
    }

    private(set) var appKey = Header.absent
    private(set) var timestamp = Header.absent
    private(set) var token = Header.absent

    /// No header yet.
    public init() {}

    /// Takes the header if it is one of the three; names are compared without regard to case (RFC 9110 §5.1), and white space around
    /// the value is not part of it (§5.5).
    public mutating func offer(name: String, value: String) {
        switch name.utf8.count {
        case 6 where isName("appkey", name): appKey.add(trim(value))
        case 9 where isName("timestamp", name): timestamp.add(trim(value))
        // The hyphen is the spelling that proxies let pass; the seed document's sample has the last.
        case 15...16
        where isName("validation-token", name) || isName("validation_token", name) || isName("validationtoken", name):
            token.add(trim(value))
        default: break
        }
    }

    private func isName(_ expected: String, _ name: String) -> Bool {
        expected.utf8.elementsEqual(name.utf8) { $0 == lowered($1) }
    }

    private func lowered(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    private func trim(_ value: String) -> String {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        guard let first = value.utf8.first, let last = value.utf8.last, isSpace(first) || isSpace(last) else { return value }
        let start = value.utf8.drop(while: isSpace)
        guard let end = start.lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(value[start.startIndex...end])
    }
}
