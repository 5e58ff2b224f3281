internal import Base
internal import Crypto

/// What a caller signs a whole request with, instead of a validation token: the header
///
///     authorization: PSP-HMAC-SHA256 nonce=7f3c…, content-sha256=9a0e…, signature=51bb…
///
/// The signature is `HMAC-SHA256(masterSecret, text)` in hexadecimal digits, the secret as it is, and the text these lines, with
/// a line feed between them and none at the end: the scheme, the appkey, the method, path and query as they are sent, the
/// timestamp, the nonce (empty where there is none), the body's SHA-256 in lower-case hexadecimal digits.
///
/// So the signature is judged by the head alone, and the body by its digest when it is there.
public struct RequestSignature: Hashable, Sendable {
    /// The scheme's name, and the first line of what is signed: another form of the text gets another name.
    public static let scheme = "PSP-HMAC-SHA256"

    /// What makes the request one of its kind; absent where it changes nothing.
    let nonce: Nonce?
    /// SHA-256 of the body, 32 bytes.
    let contentDigest: [UInt8]
    /// 32 bytes.
    let signature: [UInt8]

    /// Reads what stands behind the scheme: parameters in any order, with or without quotes (RFC 9110 §11.4).
    /// - Returns: `nil` where one is missing, given twice, unknown, or not as it must be.
    init?(parameters text: some StringProtocol) {
        var values: [ExactText: Substring] = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { return nil }
            var value = Self.trimmed(Substring(pair[1]))
            if value.utf8.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") { value = value.dropFirst().dropLast() }
            let name = ExactText(Self.trimmed(Substring(pair[0])).lowercased())
            guard values.updateValue(value, forKey: name) == nil else { return nil }
        }
        guard let digest = values.removeValue(forKey: "content-sha256").flatMap(Self.bytes),
            let signature = values.removeValue(forKey: "signature").flatMap(Self.bytes)
        else { return nil }
        let nonce = values.removeValue(forKey: "nonce")
        guard values.isEmpty else { return nil }
        (contentDigest, self.signature, self.nonce) = (digest, signature, nonce.flatMap { Nonce(String($0)) })
        if nonce != nil, self.nonce == nil { return nil }
    }

    /// The header's value for a request.
    /// - Parameters:
    ///   - secret: the app's master secret.
    ///   - nonce: never used before by this app; `nil` for a request that changes nothing.
    public static func header(
        for call: SignedCall, appKey: AppKey, timestamp: String, nonce: Nonce?, body: [UInt8], secret: String
    ) -> String {
        let digest = Digest.sha256.hash(body)
        let text = text(of: call, appKey: appKey, timestamp: timestamp, nonce: nonce, contentDigest: digest)
        let signature = MessageAuthentication.code(of: text, key: Array(secret.utf8))
        let nonce = nonce.map { "nonce=\($0.text), " } ?? ""
        return "\(scheme) \(nonce)content-sha256=\(Hex.encode(digest)), signature=\(Hex.encode(signature))"
    }

    /// Whether the request was signed with that secret.
    /// - Parameter timestamp: as it is sent in the header.
    func isMade(of call: SignedCall, appKey: AppKey, timestamp: String, with secret: String) -> Bool {
        let text = Self.text(of: call, appKey: appKey, timestamp: timestamp, nonce: nonce, contentDigest: contentDigest)
        return ConstantTime.equal(MessageAuthentication.code(of: text, key: Array(secret.utf8)), signature)
    }

    /// Whether this is the body that was signed.
    public func covers(_ body: [UInt8]) -> Bool { Digest.sha256.hash(body) == contentDigest }

    private static func text(
        of call: SignedCall, appKey: AppKey, timestamp: String, nonce: Nonce?, contentDigest: [UInt8]
    ) -> [UInt8] {
        let lines = [
            scheme, appKey.text, call.method, call.target, timestamp, nonce?.text ?? "", Hex.encode(contentDigest),
        ]
        return Array(lines.joined(separator: "\n").utf8)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }

    /// 32 bytes, as 64 hexadecimal digits in either case.
    private static func bytes(_ digits: Substring) -> [UInt8]? {
        digits.utf8.count == 64 ? Hex.decode(digits.utf8) : nil
    }
}

/// What of a request a signature covers besides its headers and its body, and where it comes from.
public struct SignedCall: Hashable, Sendable {
    /// As the request line has it: `POST`.
    public let method: String
    /// Path and query as they are sent.
    public let target: String
    /// Whether it changes anything: then a repeat of it is refused, and it needs a nonce.
    public let isChange: Bool

    /// A request as it was sent.
    public init(method: String, target: String, isChange: Bool) {
        (self.method, self.target, self.isChange) = (method, target, isChange)
    }
}
