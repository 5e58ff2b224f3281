internal import Base
internal import CCrypto

/// What is kept of a password that a person chose: scrypt (RFC 7914) of it under a random salt, with what it cost. The password
/// cannot be read back, and each guess costs an attacker what it costs here: memory and time.
///
/// Each takes a good part of a second of a core: never call it on a loop.
public struct PasswordVerifier: Hashable, Sendable {
    /// What a guess costs.
    public struct Cost: Hashable, Sendable {
        /// The binary logarithm of N, by which memory and time grow.
        public let logN: Int
        /// The size of a block.
        public let r: Int
        /// How often all of it is done.
        public let p: Int

        /// `nil` for what libcrypto would refuse, or what would take more memory than a server gives for a password.
        public init?(logN: Int, r: Int, p: Int) {
            guard (1...18).contains(logN), (1...32).contains(r), (1...16).contains(p), Self.memory(logN, r, p) <= 256 << 20,
                // RFC 7914 §2: N is less than 2^(128 * r / 8).
                logN < 16 * r
            else { return nil }
            (self.logN, self.r, self.p) = (logN, r, p)
        }

        private init(_ logN: Int, _ r: Int, _ p: Int) { (self.logN, self.r, self.p) = (logN, r, p) }

        /// One of those that OWASP's Password Storage Cheat Sheet counts as equal: that with 32 MiB.
        public static let usual = Cost(15, 8, 3)

        fileprivate var memory: Int { Self.memory(logN, r, p) }

        /// In bytes, as libcrypto counts it.
        private static func memory(_ logN: Int, _ r: Int, _ p: Int) -> Int { 128 * r * ((1 << logN) + p + 2) }
    }

    /// What the hash cost.
    public let cost: Cost
    /// Random, one for each password: equal passwords do not look equal.
    public let salt: [UInt8]
    /// 32 bytes.
    public let hash: [UInt8]

    /// As it was kept.
    public init(cost: Cost, salt: [UInt8], hash: [UInt8]) {
        self.cost = cost
        self.salt = salt
        self.hash = hash
    }

    /// A verifier for a password, under a salt of its own; `nil` for want of memory.
    public init?(password: [UInt8], cost: Cost = .usual) {
        let salt = Random.bytes(16)
        guard let hash = Self.hash(password, salt, cost) else { return nil }
        self.init(cost: cost, salt: salt, hash: hash)
    }

    /// Whether this is the password; `nil` where that cannot be found out for want of memory. What the bytes are does not show in
    /// the time taken.
    public func accepts(_ password: [UInt8]) -> Bool? {
        Self.hash(password, salt, cost).map { ConstantTime.equal(hash, $0) }
    }

    private static func hash(_ password: [UInt8], _ salt: [UInt8], _ cost: Cost) -> [UInt8]? {
        var hash = [UInt8](repeating: 0, count: 32)
        let done = password.withUnsafeBytes { password in
            // An empty array may have no address, which libcrypto takes for no password at all.
            withUnsafePointer(to: CChar(0)) { empty in
                EVP_PBE_scrypt(
                    password.count == 0 ? empty : password.bindMemory(to: CChar.self).baseAddress, password.count, salt,
                    salt.count, UInt64(1) << UInt64(cost.logN), UInt64(cost.r), UInt64(cost.p), UInt64(cost.memory + (1 << 20)),
                    &hash, hash.count)
            }
        }
        // With a cost that it takes, it fails for want of memory only.
        return done == 1 ? hash : nil
    }
}

extension PasswordVerifier {
    /// As it is kept: `scrypt:15:8:3:` and salt and hash in hexadecimal digits.
    public var text: String { "scrypt:\(cost.logN):\(cost.r):\(cost.p):\(Hex.encode(salt)):\(Hex.encode(hash))" }

    /// `nil` for what is no such text.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "scrypt", let logN = Int(parts[1]), let r = Int(parts[2]), let p = Int(parts[3]),
            let cost = Cost(logN: logN, r: r, p: p), let salt = Hex.decode(parts[4].utf8), let hash = Hex.decode(parts[5].utf8),
            hash.count == 32
        else { return nil }
        self.init(cost: cost, salt: salt, hash: hash)
    }
}
