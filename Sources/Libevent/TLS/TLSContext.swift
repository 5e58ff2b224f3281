internal import CLibevent
internal import Glibc

/// What the TLS connections of a listener have in common: its certificate and key, and what it negotiates. It does not change: a
/// new certificate is a new context, and connections keep the one that they began with.
public final class TLSContext: Sendable {
    /// The certificate that it shows.
    public let certificate: TLSCertificate
    // Safe: nobody changes it after `init`; OpenSSL counts its references atomically, and locks what connections share in it.
    private nonisolated(unsafe) let context: OpaquePointer

    /// How long a ticket may be taken up, in seconds. The keys' rotation ends it sooner.
    private static let ticketLifetime = 86_400

    /// - Throws: ``TLSError``.
    public init(
        _ identity: TLSIdentity, _ policy: TLSPolicy, for application: TLSApplication, ticketKeys: TLSTicketKeys
    ) throws(TLSError) {
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw .library(call: "SSL_CTX_new") }
        do throws(TLSError) {
            certificate = try Self.identify(context, as: identity)
            try Self.limit(context, to: policy)
            try Self.admitClients(to: context, signedBy: identity.clientAuthorities)
            try ticketKeys.attach(to: context)
        } catch {
            SSL_CTX_free(context)
            throw error
        }
        ps_tls_set_modes(context)
        RecordWatch.begin(on: context)
        SSL_CTX_set_options(context, ps_tls_options())
        SSL_CTX_set_timeout(context, Self.ticketLifetime)
        // One is what a device needs to come back; OpenSSL would make two.
        SSL_CTX_set_num_tickets(context, 1)
        SSL_CTX_set_alpn_select_cb(context, applicationThunk, UnsafeMutableRawPointer(bitPattern: Int(application.rawValue)))
        self.context = context
    }

    deinit { SSL_CTX_free(context) }

    /// A session of a connection that begins; whoever takes it frees it. Nil when there is no memory.
    func makeSession() -> OpaquePointer? { SSL_new(context) }

    /// The session of a connection that a loop accepts; whoever takes it frees it.
    /// - Parameter bio: the loop's.
    func makeSession(by bio: OpaquePointer?) throws(LibeventError) -> TLSSession {
        guard let bio, let pointer = makeSession() else { throw .library(call: "SSL_new") }
        return TLSSession(pointer, by: bio, isServer: true)
    }

    // MARK: Certificate and key

    private static func identify(_ context: OpaquePointer, as identity: TLSIdentity) throws(TLSError) -> TLSCertificate {
        let chain = try PEM.certificates(in: identity.certificates) { .certificate(reason: $0) }
        defer { for certificate in chain { X509_free(certificate) } }
        guard let own = chain.first else { throw .certificate(reason: "there is none") }
        guard SSL_CTX_use_certificate(context, own) == 1 else { throw .certificate(reason: TLSFailure.takeReason()) }
        for certificate in chain.dropFirst() where ps_tls_add_chain(context, certificate) != 1 {
            throw .certificate(reason: TLSFailure.takeReason())
        }
        let key = try PEM.privateKey(in: identity.key)
        defer { EVP_PKEY_free(key) }
        guard X509_check_private_key(own, key) == 1 else {
            ERR_clear_error()
            throw .mismatch
        }
        guard SSL_CTX_use_PrivateKey(context, key) == 1 else { throw .key(reason: TLSFailure.takeReason()) }
        return try TLSCertificate(own)
    }

    /// Clients are asked for a certificate, and may have none; one that none of the authorities has signed is refused.
    private static func admitClients(to context: OpaquePointer, signedBy authorities: [UInt8]?) throws(TLSError) {
        // A session is taken up only where clients are trusted alike: its context is the hash of whom they are trusted by.
        var mark = [UInt8](repeating: 0, count: 32)
        let text = authorities ?? []
        guard EVP_Digest(text, text.count, &mark, nil, EVP_sha256(), nil) == 1,
            SSL_CTX_set_session_id_context(context, mark, UInt32(mark.count)) == 1
        else { throw .library(call: "SSL_CTX_set_session_id_context") }
        guard let authorities else { return }
        try trust(context, authorities) {
            .clientAuthorities(reason: $0)
        } naming: {
            SSL_CTX_add_client_CA(context, $0) == 1
        }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
    }

    /// Has a context take what one of these authorities has signed.
    /// - Parameters:
    ///   - authorities: PEM, one at least.
    ///   - fault: what it is when they cannot be used.
    ///   - name: what else each of them is good for; false where it could not be done.
    static func trust(
        _ context: OpaquePointer, _ authorities: [UInt8], _ fault: (String) -> TLSError,
        naming name: (OpaquePointer) -> Bool = { _ in true }
    ) throws(TLSError) {
        let certificates = try PEM.certificates(in: authorities, failure: fault)
        defer { for certificate in certificates { X509_free(certificate) } }
        guard !certificates.isEmpty else { throw fault("there is no certificate") }
        let store = SSL_CTX_get_cert_store(context)
        for certificate in certificates {
            guard X509_STORE_add_cert(store, certificate) == 1, name(certificate) else { throw fault(TLSFailure.takeReason()) }
        }
        // Each of them is enough, be it one that another has signed.
        X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    }

    // MARK: What is negotiated

    static func limit(_ context: OpaquePointer, to policy: TLSPolicy) throws(TLSError) {
        guard ps_tls_set_minimum(context, policy.minimum.number) == 1 else {
            throw .library(call: "SSL_CTX_set_min_proto_version")
        }
        try set(.ciphers, policy.ciphers) { SSL_CTX_set_cipher_list(context, $0) }
        try set(.suites, policy.suites) { SSL_CTX_set_ciphersuites(context, $0) }
        try set(.groups, policy.groups) { ps_tls_set_groups(context, $0) }
        try set(.signatureAlgorithms, policy.signatureAlgorithms) { ps_tls_set_signature_algorithms(context, $0) }
    }

    private static func set(_ field: TLSPolicyField, _ text: String?, _ apply: (String) -> Int32) throws(TLSError) {
        guard let text, apply(text) != 1 else { return }
        ERR_clear_error()
        throw .policy(field, text)
    }
}

/// SSL_CTX_set_alpn_select_cb(3): looks for our name in the client's list, where each stands behind its length.
private func applicationThunk(
    _ session: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenCount: UnsafeMutablePointer<UInt8>?,
    _ offered: UnsafePointer<UInt8>?, _ offeredCount: UInt32, _ application: UnsafeMutableRawPointer?
) -> Int32 {
    guard let application = TLSApplication(rawValue: UInt8(truncatingIfNeeded: Int(bitPattern: application))) else {
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
    let names = UnsafeBufferPointer(start: offered, count: Int(offeredCount))
    var start = 0
    while start < names.count {
        let name = names[(start + 1)...].prefix(Int(names[start]))
        let isOurs = application.name.withUTF8Buffer { name.elementsEqual($0) }
        if isOurs {
            chosen?.pointee = offered?.advanced(by: start + 1)
            chosenCount?.pointee = names[start]
            return SSL_TLSEXT_ERR_OK
        }
        start += 1 + Int(names[start])
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
