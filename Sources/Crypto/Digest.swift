internal import CCrypto

/// The digests that the interface names, by libcrypto.
public enum Digest: Hashable, Sendable {
    /// 16 bytes. Broken for anything that an attacker may collide: here only for the validation token, which the interface fixes.
    case md5
    /// 32 bytes (FIPS 180-4).
    case sha256

    /// The digest of the bytes.
    public func hash(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { hash($0) }
    }

    /// The digest of the text's UTF-8.
    public func hash(_ text: String) -> [UInt8] {
        var text = text
        return text.withUTF8 { hash(UnsafeRawBufferPointer($0)) }
    }

    /// The digest of the bytes.
    public func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        // Copied, not made in the array: an uninitialised array looks its storage's type up at run time (500 instructions).
        withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 1) { digest in
            hash(bytes, into: digest)
            return [UInt8](digest)
        }
    }

    /// Writes the digest of the bytes to `digest`, which has room for ``byteCount`` bytes.
    public func hash(_ bytes: UnsafeRawBufferPointer, into digest: UnsafeMutableRawBufferPointer) {
        precondition(digest.count >= byteCount, "no room for the digest")
        let done = EVP_Digest(bytes.baseAddress, bytes.count, digest.baseAddress, nil, algorithm.pointer, nil)
        // With an algorithm that was found, it fails for want of memory only.
        precondition(done == 1, "libcrypto could not hash")
    }

    /// How many bytes a digest has.
    public var byteCount: Int {
        switch self {
        case .md5: 16
        case .sha256: 32
        }
    }

    var algorithm: Algorithm {
        switch self {
        case .md5: .md5
        case .sha256: .sha256
        }
    }
}

/// An algorithm looked up once: a look-up by each hash costs more than the hash.
///
/// `@unchecked Sendable`: the pointer is never changed or freed, and `EVP_MD` is reference-counted and immutable
/// (EVP_MD_fetch(3)), so that any thread may use it.
struct Algorithm: @unchecked Sendable {
    static let md5 = Algorithm(named: "MD5")
    static let sha256 = Algorithm(named: "SHA256")

    let pointer: OpaquePointer

    private init(named name: String) {
        guard let pointer = EVP_MD_fetch(nil, name, nil) else {
            // Not for a peer to bring about: an OpenSSL whose configuration shuts it out (FIPS only) cannot run this service.
            preconditionFailure("libcrypto offers no \(name)")
        }
        self.pointer = pointer
    }
}
