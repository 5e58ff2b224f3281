internal import Base
internal import CLibevent
internal import Glibc

/// The keys that session tickets are sealed with: the first seals, all open. Servers that share them take up each other's
/// sessions, and a client that comes back saves a signature and a certificate (RFC 5077, RFC 8446 §2.2).
public final class TLSTicketKeys: Sendable {
    /// As in many servers' files: the ticket names its key by the first 16 bytes, then 32 for HMAC-SHA256 and 32 for AES-256.
    struct Key: Sendable {
        static let size = 80
        let bytes: [UInt8]

        var name: ArraySlice<UInt8> { bytes[..<16] }
        var authentication: ArraySlice<UInt8> { bytes[16..<48] }
        var encryption: ArraySlice<UInt8> { bytes[48...] }
    }

    private let keys: Locked<[Key]>

    /// Keys of this process alone.
    /// - Throws: `library` where the system gives no random bytes.
    public init() throws(TLSError) { keys = Locked([try Self.random()]) }

    /// As many keys as remain beside a new one: what a ticket has been sealed with may be that old.
    private static let kept = 2

    /// Seals with a new key from now on; the last ones still open.
    public func renew() throws(TLSError) {
        let key = try Self.random()
        keys.withLock { $0 = [key] + $0.prefix(Self.kept) }
    }

    /// The keys of a file: one a line, in base64. The first seals.
    public struct File: Sendable {
        fileprivate let keys: [Key]

        /// - Throws: `ticketKeys`.
        public init(parsing bytes: [UInt8]) throws(TLSError) { keys = try TLSTicketKeys.keys(in: bytes) }
    }

    /// Takes the keys of a file, and none but these.
    public func replace(with file: File) { keys.withLock { $0 = file.keys } }

    private static func keys(in file: [UInt8]) throws(TLSError) -> [Key] {
        var found: [Key] = []
        for (index, line) in file.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let text = line.filter { $0 != 0x0D && $0 != 0x20 }
            if text.isEmpty { continue }
            guard let bytes = decodeBase64(text), bytes.count == Key.size else { throw .ticketKeys(line: index + 1) }
            found.append(Key(bytes: bytes))
        }
        guard !found.isEmpty else { throw .ticketKeys(line: 1) }
        return found
    }

    private static func random() throws(TLSError) -> Key {
        var bytes = [UInt8](repeating: 0, count: Key.size)
        guard RAND_bytes(&bytes, Int32(bytes.count)) == 1 else { throw .library(call: "RAND_bytes") }
        return Key(bytes: bytes)
    }

    private static func decodeBase64(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: text.count / 4 * 3)
        guard EVP_DecodeBlock(&bytes, text, Int32(text.count)) == bytes.count else { return nil }
        // What the block has been filled up with.
        bytes.removeLast(text.suffix(2).filter { $0 == UInt8(ascii: "=") }.count)
        return bytes
    }

    // MARK: What OpenSSL asks

    /// - Returns: the key that seals.
    fileprivate var sealing: Key? { keys.withLock { $0.first } }

    /// - Returns: the key that a ticket names, and whether it still seals.
    fileprivate func opening(_ name: UnsafeRawBufferPointer) -> (key: Key, isCurrent: Bool)? {
        keys.withLock { keys in
            keys.firstIndex { name.elementsEqual($0.name) }.map { (keys[$0], $0 == 0) }
        }
    }

    /// Where a context holds its keys; they go with the context, which may outlive whoever made it.
    private static let place = ps_tls_context_index { _, pointer, _, _, _, _ in
        if let pointer { Unmanaged<TLSTicketKeys>.fromOpaque(pointer).release() }
    }

    /// Has a context seal and open its tickets with these keys.
    func attach(to context: OpaquePointer) throws(TLSError) {
        let retained = Unmanaged.passRetained(self)
        guard SSL_CTX_set_ex_data(context, Self.place, retained.toOpaque()) == 1 else {
            retained.release()
            throw .library(call: "SSL_CTX_set_ex_data")
        }
        ps_tls_set_ticket_callback(context, ticketThunk)
    }

    fileprivate static func of(_ session: OpaquePointer?) -> TLSTicketKeys? {
        SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), place).map {
            Unmanaged<TLSTicketKeys>.fromOpaque($0).takeUnretainedValue()
        }
    }
}

/// SSL_CTX_set_tlsext_ticket_key_evp_cb(3). Negative: an error; 0: no such key, a full handshake follows; 1: done; 2: done, and a
/// new ticket is due.
private func ticketThunk(
    _ session: OpaquePointer?, _ name: UnsafeMutablePointer<UInt8>?, _ vector: UnsafeMutablePointer<UInt8>?,
    _ cipher: OpaquePointer?, _ authentication: OpaquePointer?, _ isSealing: Int32
) -> Int32 {
    guard let keys = TLSTicketKeys.of(session), let name, let vector else { return -1 }
    if isSealing == 1 {
        guard let key = keys.sealing, RAND_bytes(vector, EVP_MAX_IV_LENGTH) == 1 else { return -1 }
        UnsafeMutableRawBufferPointer(start: name, count: 16).copyBytes(from: key.name)
        let isReady = key.encryption.withUnsafeBufferPointer {
            EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nil, $0.baseAddress, vector)
        }
        return isReady == 1 && key.beginAuthentication(authentication) ? 1 : -1
    }
    guard let (key, isCurrent) = keys.opening(UnsafeRawBufferPointer(start: name, count: 16)) else { return 0 }
    let isReady = key.encryption.withUnsafeBufferPointer {
        EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nil, $0.baseAddress, vector)
    }
    guard isReady == 1, key.beginAuthentication(authentication) else { return -1 }
    // In TLS 1.3 a client uses a ticket once (RFC 8446 appendix C.4): without a new one its next handshake would be a full one.
    return isCurrent && SSL_version(session) != TLS1_3_VERSION ? 1 : 2
}

extension TLSTicketKeys.Key {
    fileprivate func beginAuthentication(_ context: OpaquePointer?) -> Bool {
        authentication.withUnsafeBytes { ps_tls_begin_hmac_sha256(context, $0.baseAddress, $0.count) == 1 }
    }
}
