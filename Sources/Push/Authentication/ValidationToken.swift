internal import Base
internal import Crypto

/// What a caller proves with that it knows the app's master secret: `md5hex(lower(appkey) + lower(masterSecret) + timestamp)`.
public enum ValidationToken: Hashable, Sendable {
    /// As it should be: 32 hexadecimal digits, upper or lower case.
    case digest(UInt64, UInt64)
    /// Anything else.
    case text(String)

    /// The token, in lower-case hexadecimal digits.
    /// - Parameter timestamp: as it is sent in the header.
    public static func make(appKey: AppKey, masterSecret: String, timestamp: String) -> String {
        TokenMaker(appKey: appKey, masterSecret: masterSecret).token(at: timestamp).lowercased
    }

    /// A token as it was sent.
    init(sent: UnsafeRawBufferPointer) {
        if sent.count == 32, let high = hexNumber(sent, from: 0), let low = hexNumber(sent, from: 16) {
            self = .digest(high, low)
        } else {
            self = .text(String(decoding: sent, as: UTF8.self))
        }
    }

    /// As it is written.
    var lowercased: String {
        switch self {
        case .digest(let high, let low):
            withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Hex.encode([UInt8]($0)) }
        case .text(let text): text.lowercased()
        }
    }

    /// Whether they are the same digest. The time taken says nothing of where they differ.
    func equals(_ other: ValidationToken) -> Bool {
        guard case .digest(let high, let low) = self, case .digest(let otherHigh, let otherLow) = other else { return false }
        return (high ^ otherHigh) | (low ^ otherLow) == 0
    }
}

/// 16 hexadecimal digits.
private func hexNumber(_ digits: UnsafeRawBufferPointer, from start: Int) -> UInt64? {
    var number: UInt64 = 0
    for byte in UnsafeRawBufferPointer(rebasing: digits[start..<start + 16]) {
        let digit = byte &- UInt8(ascii: "0")
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        guard digit < 10 || letter < 6 else { return nil }
        number = number &<< 4 | UInt64(digit < 10 ? digit : letter &+ 10)
    }
    return number
}

/// Makes an app's tokens.
struct TokenMaker: Sendable {
    /// What comes before the timestamp.
    private let prefix: [UInt8]

    init(appKey: AppKey, masterSecret: String) {
        prefix = appKey.text.utf8.map(lowered) + masterSecret.utf8.map(lowered)
    }

    /// - Parameter timestamp: as it is sent in the header.
    func token(at timestamp: String) -> ValidationToken {
        var timestamp = timestamp
        return timestamp.withUTF8 { timestamp in
            withUnsafeTemporaryAllocation(byteCount: prefix.count + timestamp.count, alignment: 1) { text in
                text.copyBytes(from: prefix)
                UnsafeMutableRawBufferPointer(rebasing: text[prefix.count...]).copyBytes(from: timestamp)
                return withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { digest in
                    Digest.md5.hash(UnsafeRawBufferPointer(text), into: digest)
                    return .digest(
                        UInt64(bigEndian: digest.load(as: UInt64.self)),
                        UInt64(bigEndian: digest.load(fromByteOffset: 8, as: UInt64.self)))
                }
            }
        }
    }
}
