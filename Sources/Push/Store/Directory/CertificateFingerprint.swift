internal import Base

/// The SHA-256 of a certificate's DER form, by which a device's record names the certificate that opens its door.
public struct CertificateFingerprint: Hashable, Sendable {
    /// 32 of them.
    public let bytes: [UInt8]

    private static let count = 32

    /// `nil` for another number of bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.count else { return nil }
        self.bytes = bytes
    }

    /// From 64 hexadecimal digits, in either case; pairs may be parted by colons, as `openssl x509 -fingerprint` prints them.
    public init?(_ text: String) {
        guard let bytes = Hex.decode(text.utf8.filter { $0 != UInt8(ascii: ":") }) else { return nil }
        self.init(bytes: bytes)
    }

    /// 64 lower-case digits.
    public var text: String { Hex.encode(bytes) }
}
