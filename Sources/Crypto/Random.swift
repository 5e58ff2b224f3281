internal import Base

/// Random bytes for secrets and names that nobody may guess: `getrandom(2)` by way of the standard library, which cannot fail.
public enum Random {
    /// So many random bytes.
    public static func bytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// A secret of 32 hexadecimal digits: 128 bits, which nobody finds by trying.
    public static func secret() -> String {
        Hex.encode(bytes(16))
    }
}
