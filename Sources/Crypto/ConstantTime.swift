internal import CCrypto

/// Comparisons whose time says nothing of where two values differ.
public enum ConstantTime {
    /// Whether the bytes are the same. Only the lengths may show in the time taken.
    public static func equal(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
    }

    /// Whether the texts are the same bytes of UTF-8. Only the lengths may show in the time taken.
    public static func equal(_ one: String, _ other: String) -> Bool {
        var one = one, other = other
        return one.withUTF8 { one in
            other.withUTF8 { other in
                one.count == other.count && CRYPTO_memcmp(one.baseAddress, other.baseAddress, one.count) == 0
            }
        }
    }
}
