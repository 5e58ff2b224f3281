internal import CLibevent

/// Why a client does not speak to a server by TLS: what has ended its handshake, before anything was sent inside.
public enum TLSDistrust: Error, Hashable, Sendable, CustomStringConvertible {
    /// No authority that is trusted has signed its certificate.
    case unknownAuthority
    /// The certificate is not valid any more.
    case expired
    /// The certificate is not valid yet.
    case notYetValid
    /// The certificate is made out to others.
    case wrongName
    /// OpenSSL has something else against the certificate.
    case certificate(reason: String)
    /// What the server speaks is no TLS, or none that both understand.
    case failure(reason: String)

    /// Nil where the session has failed for no reason of TLS.
    init?(of session: OpaquePointer?, _ failure: TLSFailure?) {
        guard let session else { return nil }
        switch Int32(truncatingIfNeeded: SSL_get_verify_result(session)) {
        case X509_V_OK:
            guard let failure else { return nil }
            self = .failure(reason: failure.description)
        case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
        case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: self = .wrongName
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED:
            self = .unknownAuthority
        case let code:
            self = .certificate(reason: X509_verify_cert_error_string(Int(code)).map { String(cString: $0) } ?? "\(code)")
        }
    }

    /// One line for the operator.
    public var description: String {
        switch self {
        case .unknownAuthority: "no trusted authority has signed its certificate"
        case .expired: "its certificate has expired"
        case .notYetValid: "its certificate is not valid yet"
        case .wrongName: "its certificate is made out to another name"
        case .certificate(let reason): "its certificate cannot be used: \(reason)"
        case .failure(let reason): "TLS failed: \(reason)"
        }
    }
}
