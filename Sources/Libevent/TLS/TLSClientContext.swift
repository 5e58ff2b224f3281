internal import Base
internal import CLibevent

/// From whom a client takes a server's certificate.
public enum TLSTrust: Hashable, Sendable {
    /// Signed by an authority that the system trusts (OpenSSL's `SSL_CERT_FILE` and `SSL_CERT_DIR` name others), and made out to
    /// the name that was asked for.
    case system
    /// Signed by one of these (PEM), and made out to that name.
    case authorities([UInt8])
    /// Whoever it is: for measuring alone.
    case anyone
}

/// What the TLS connections of a client have in common: whom they trust, and what they negotiate. It does not change.
public final class TLSClientContext: Sendable {
    // Safe: nobody changes it after `init`; OpenSSL counts its references atomically, and locks what connections share in it.
    private nonisolated(unsafe) let context: OpaquePointer
    private let isNameChecked: Bool
    /// The sessions that further connections take up; nil: none is kept.
    private let resumption: Resumption?

    /// - Parameters:
    ///   - application: what is spoken inside; told to the server.
    ///   - maximum: nothing newer is spoken.
    ///   - resumes: sessions are kept, for further connections to take up, each of TLS 1.3 once (RFC 8446 appendix C.4).
    /// - Throws: ``TLSError``; `authorities` where these cannot be read.
    public init(
        trusting trust: TLSTrust, for application: TLSApplication, _ policy: TLSPolicy = TLSPolicy(),
        maximum: TLSPolicy.Version? = nil, resumes: Bool = false
    ) throws(TLSError) {
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw .library(call: "SSL_CTX_new") }
        ps_tls_set_modes(context)
        SSL_CTX_set_options(context, ps_tls_options())
        let resumption = resumes ? Resumption() : nil
        do throws(TLSError) {
            try resumption?.attach(to: context)
            try Self.trust(context, trust)
            try TLSContext.limit(context, to: policy)
            if let maximum, ps_tls_set_maximum(context, maximum.number) != 1 {
                throw .library(call: "SSL_CTX_set_max_proto_version")
            }
            try Self.offer(application, by: context)
        } catch {
            SSL_CTX_free(context)
            throw error
        }
        self.context = context
        isNameChecked = trust != .anyone
        self.resumption = resumption
    }

    deinit { SSL_CTX_free(context) }

    /// A session of a connection that begins; whoever takes it frees it.
    /// - Parameters:
    ///   - host: a name or an address, to which the certificate has to be made out.
    ///   - isResuming: whether it takes up an earlier one, where one is kept.
    func makeSession(to host: String, isResuming: Bool = true) throws(TLSError) -> OpaquePointer {
        guard let session = SSL_new(context) else { throw .library(call: "SSL_new") }
        if isResuming { resumption?.takeUp(session) }
        guard !isNameChecked || ps_tls_expect_name(session, host) == 1 else {
            SSL_free(session)
            ERR_clear_error()
            throw .library(call: "SSL_set1_host")
        }
        return session
    }

    /// The session of a connection that a loop makes; whoever takes it frees it.
    /// - Parameter bio: the loop's.
    func makeSession(by bio: OpaquePointer?, to host: String, isResuming: Bool) throws(LibeventError) -> TLSSession {
        guard let bio else { throw .library(call: "BIO_new") }
        do throws(TLSError) {
            return TLSSession(try makeSession(to: host, isResuming: isResuming), by: bio, isServer: false)
        } catch {
            throw .distrusted(.failure(reason: error.description))
        }
    }

    private static func trust(_ context: OpaquePointer, _ trust: TLSTrust) throws(TLSError) {
        switch trust {
        case .anyone: return
        case .system:
            guard SSL_CTX_set_default_verify_paths(context) == 1 else { throw .library(call: "SSL_CTX_set_default_verify_paths") }
        case .authorities(let text):
            try TLSContext.trust(context, text) { .authorities(reason: $0) }
        }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
    }

    /// ALPN (RFC 7301): a list of one name, behind its length.
    private static func offer(_ application: TLSApplication, by context: OpaquePointer) throws(TLSError) {
        let list = application.name.withUTF8Buffer { [UInt8($0.count)] + $0 }
        // Unlike its neighbours it returns 0 when it has succeeded.
        guard SSL_CTX_set_alpn_protos(context, list, UInt32(list.count)) == 0 else {
            throw .library(call: "SSL_CTX_set_alpn_protos")
        }
    }

    /// Keeps the sessions of a context that servers have given it tickets for.
    private final class Resumption: Sendable {
        /// OpenSSL's counted reference to a session.
        private final class Ticket: Sendable {
            // Safe: OpenSSL counts its references atomically, and nobody changes it.
            nonisolated(unsafe) let session: OpaquePointer
            init(_ session: OpaquePointer) { self.session = session }
            deinit { SSL_SESSION_free(session) }

            var isForOnce: Bool { SSL_SESSION_get_protocol_version(session) == TLS1_3_VERSION }
        }

        private let tickets = Locked<[Ticket]>([])

        /// Where a context holds it; it goes with the context, which connections may keep longer than its owner.
        private static let place = ps_tls_context_index { _, pointer, _, _, _, _ in
            if let pointer { Unmanaged<Resumption>.fromOpaque(pointer).release() }
        }

        /// Has a context give the sessions to it that servers issue tickets for.
        func attach(to context: OpaquePointer) throws(TLSError) {
            let retained = Unmanaged.passRetained(self)
            guard SSL_CTX_set_ex_data(context, Self.place, retained.toOpaque()) == 1 else {
                retained.release()
                throw .library(call: "SSL_CTX_set_ex_data")
            }
            ps_tls_keep_sessions(context) { session, ticket in
                guard let ticket, let own = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), Resumption.place) else { return 0 }
                Unmanaged<Resumption>.fromOpaque(own).takeUnretainedValue().keep(Ticket(ticket))
                return 1
            }
        }

        private func keep(_ ticket: Ticket) {
            tickets.withLock { tickets in
                if !ticket.isForOnce { tickets.removeAll(keepingCapacity: true) }
                tickets.append(ticket)
            }
        }

        func takeUp(_ session: OpaquePointer) {
            let ticket = tickets.withLock { tickets in
                guard let newest = tickets.last else { return Ticket?.none }
                if newest.isForOnce { tickets.removeLast() }
                return newest
            }
            if let ticket { SSL_set_session(session, ticket.session) }
        }
    }
}

extension TLSPolicy.Version {
    var number: Int32 { self == .v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION }
}
