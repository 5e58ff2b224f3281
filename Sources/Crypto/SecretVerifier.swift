/// What is kept of a device's secret: a random salt and SHA-256(salt || secret). The secret cannot be read back.
///
/// A fast hash, and not bcrypt or Argon2, for a reason: those make each check cost tens of milliseconds, and every device
/// connects again when a server or network comes back. 100,000 devices at 50 ms are more than an hour of one core: each such
/// storm would be an outage. What a slow hash protects is a short password that people choose; the secrets that this service
/// makes are 128 random bits, which cannot be found by trying whatever the hash. An operator who brings secrets should bring such
/// ones.
public struct SecretVerifier: Hashable, Sendable {
    /// How many bytes of salt a new verifier has.
    public static let saltLength = 16

    /// Random, one for each secret: equal secrets do not look equal.
    public let salt: [UInt8]
    /// SHA-256(salt || secret), 32 bytes.
    public let digest: [UInt8]

    /// A verifier for a secret, under a salt of its own.
    public init(secret: [UInt8]) {
        self.init(secret: secret, salt: Random.bytes(SecretVerifier.saltLength))
    }

    /// A verifier for a secret under a given salt.
    public init(secret: [UInt8], salt: [UInt8]) {
        self.init(salt: salt, digest: Digest.sha256.hash(salt + secret))
    }

    /// A verifier as it was kept.
    public init(salt: [UInt8], digest: [UInt8]) {
        self.salt = salt
        self.digest = digest
    }

    /// Whether this is the secret; in constant time.
    public func accepts(_ secret: [UInt8]) -> Bool {
        ConstantTime.equal(digest, Digest.sha256.hash(salt + secret))
    }
}
