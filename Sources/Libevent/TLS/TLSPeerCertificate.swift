internal import CLibevent

/// The certificate that the other end of a connection has shown. One of the authorities has signed it.
public final class TLSPeerCertificate {
    private let certificate: OpaquePointer

    /// Nil when the peer has shown none.
    init?(of session: OpaquePointer?) {
        guard let certificate = ps_tls_peer_certificate(session) else { return nil }
        self.certificate = certificate
    }

    deinit { X509_free(certificate) }

    /// Whether it is made out to that name, byte for byte: as a common name, or as a DNS name or URI among its alternative names.
    public func isNamed(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { ps_tls_is_named(certificate, $0.baseAddress, $0.count) == 1 }
    }

    /// What is told of it; nil where it is no certificate that could be read.
    public var description: TLSCertificate? {
        do throws(TLSError) { return try TLSCertificate(certificate) } catch { return nil }
    }
}
