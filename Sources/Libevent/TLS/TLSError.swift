internal import CLibevent

/// Why TLS cannot be served as it was asked for. No case holds a byte of a key.
public enum TLSError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no certificate in what should hold the chain, or one that OpenSSL cannot read or does not take.
    case certificate(reason: String)
    /// There is no key, or one that OpenSSL cannot read; a key that asks for a passphrase among them.
    case key(reason: String)
    /// The key is another certificate's.
    case mismatch
    /// The authorities of clients' certificates cannot be read.
    case clientAuthorities(reason: String)
    /// The authorities of servers' certificates cannot be read.
    case authorities(reason: String)
    /// OpenSSL does not know what the policy names.
    case policy(TLSPolicyField, String)
    /// A line of the ticket keys is not 80 bytes in base64, or there is none.
    case ticketKeys(line: Int)
    /// No memory, in practice.
    case library(call: String)

    /// One line for a log or for the operator.
    public var description: String {
        switch self {
        case .certificate(let reason): "the certificate cannot be used: \(reason)"
        case .key(let reason): "the key cannot be used: \(reason)"
        case .mismatch: "the key does not belong to the certificate"
        case .clientAuthorities(let reason): "the authorities of client certificates cannot be used: \(reason)"
        case .authorities(let reason): "the authorities of certificates cannot be used: \(reason)"
        case .policy(let field, let text): "OpenSSL knows no such \(field.rawValue): \(text.debugDescription)"
        case .ticketKeys(let line): "line \(line) is no ticket key: 80 bytes in base64"
        case .library(let call): "\(call) failed"
        }
    }
}

/// What of a policy OpenSSL may not know.
public enum TLSPolicyField: String, Hashable, Sendable {
    case ciphers = "cipher of TLS 1.2"
    case suites = "suite of TLS 1.3"
    case groups = "group"
    case signatureAlgorithms = "signature algorithm"
}

/// Why a TLS connection failed, as OpenSSL says it: its words are the library's own, none is the peer's.
public struct TLSFailure: Hashable, Sendable, CustomStringConvertible {
    private let code: UInt32

    init(code: UInt) { self.code = UInt32(truncatingIfNeeded: code) }

    /// OpenSSL's words: "no shared cipher".
    public var description: String {
        ERR_reason_error_string(UInt(code)).map { String(cString: $0) } ?? "error \(String(code, radix: 16))"
    }

    /// The peer has sent an HTTP request in clear.
    var isPlainHTTP: Bool {
        ps_error_library(UInt(code)) == ERR_LIB_SSL && ps_error_reason(UInt(code)) == SSL_R_HTTP_REQUEST
    }

    /// The reason of the newest error in OpenSSL's queue of this thread, which is emptied.
    static func takeReason() -> String {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        return code == 0 ? "unknown" : TLSFailure(code: code).description
    }
}
