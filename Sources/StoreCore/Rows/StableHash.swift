package import Push

/// A 64-bit hash that is the same in every run, for keys in a store (FNV-1a, with a final mix). Equal hashes are told apart by
/// the text beside them, so a collision costs a comparison and nothing else.
package enum StableHash {
    /// The hash of the text's UTF-8.
    package static func of(_ text: String) -> Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        var text = text
        text.withUTF8 { for byte in $0 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 } }
        hash ^= hash >> 32
        hash = hash &* 0x9e37_79b9_7f4a_7c15
        hash ^= hash >> 29
        return Int64(bitPattern: hash)
    }

    /// Of a name that an app has given: each app has names of its own.
    package static func of(_ name: String, of app: AppKey) -> Int64 { of("\(app) \(name)") }
}
