/// The headers by which a caller shows who it is, as they were sent: key, time, and a token or a signature. Offer it every header
/// of the request.
public struct CredentialHeaders: Hashable, Sendable {
    /// What was sent under one name, in all its spellings.
    enum Header<Value: Hashable & Sendable>: Hashable, Sendable {
        case absent
        /// Sent empty.
        case empty
        case once(Value)
        case repeated

        fileprivate mutating func add(_ value: Value?) {
            switch self {
            case .absent: self = value.map(Self.once) ?? .empty
            case .empty, .once, .repeated: self = .repeated
            }
        }

        /// Not sent, or sent empty.
        var isMissing: Bool {
            switch self {
            case .absent, .empty: true
            case .once, .repeated: false
            }
        }
    }

    private(set) var appKey = Header<String>.absent
    private(set) var timestamp = Header<String>.absent
    private(set) var token = Header<ValidationToken>.absent
    /// What came under the scheme of ``RequestSignature``; `.once(nil)` where it is malformed. Other schemes are not ours.
    private(set) var authorization = Header<RequestSignature?>.absent

    /// No header yet.
    public init() {}

    /// The appkey that was sent, if one was: nobody has proved anything by it.
    public var claimedKey: String? { if case .once(let key) = appKey { key } else { nil } }

    /// The signature of the whole request, if it has one.
    public var signature: RequestSignature? { if case .once(let signature) = authorization { signature } else { nil } }

    /// Takes the header if it is one of them; names are compared without regard to case (RFC 9110 §5.1), and white space
    /// around the value is not part of it (§5.5).
    public mutating func offer(name: String, value: String) {
        var (name, value) = (name, value)
        name.withUTF8 { name in
            value.withUTF8 { value in offer(name: UnsafeRawBufferPointer(name), value: UnsafeRawBufferPointer(value)) }
        }
    }

    /// The same for bytes, of which only those that are wanted become anything.
    public mutating func offer(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        switch name.count {
        case 6 where isName("appkey", name): appKey.add(text(trimmed(value)))
        case 9 where isName("timestamp", name): timestamp.add(text(trimmed(value)))
        case 13 where isName("authorization", name): offerAuthorization(trimmed(value))
        // The hyphen is the spelling that proxies let pass; the seed document's sample has the last.
        case 15...16
        where isName("validation-token", name) || isName("validation_token", name) || isName("validationtoken", name):
            let value = trimmed(value)
            token.add(value.isEmpty ? nil : ValidationToken(sent: value))
        default: break
        }
    }

    private mutating func offerAuthorization(_ value: UnsafeRawBufferPointer) {
        let text = String(decoding: value, as: UTF8.self)
        let parts = text.split(separator: " ", maxSplits: 1)
        guard let scheme = parts.first, scheme.uppercased() == RequestSignature.scheme else { return }
        let signature = parts.count == 2 ? RequestSignature(parameters: parts[1]) : nil
        authorization.add(.some(signature))
    }

    /// - Parameter expected: in lower case.
    private func isName(_ expected: StaticString, _ name: UnsafeRawBufferPointer) -> Bool {
        guard expected.utf8CodeUnitCount == name.count else { return false }
        for index in 0..<name.count where expected.utf8Start[index] != lowered(name[index]) { return false }
        return true
    }

    private func text(_ value: UnsafeRawBufferPointer) -> String? {
        value.isEmpty ? nil : String(decoding: value, as: UTF8.self)
    }

    private func trimmed(_ value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        var start = 0
        var end = value.count
        while start < end, isSpace(value[start]) { start += 1 }
        while end > start, isSpace(value[end - 1]) { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: value[start..<end])
    }
}

/// Names of headers, tokens and secrets are ASCII.
func lowered(_ byte: UInt8) -> UInt8 {
    byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
}
