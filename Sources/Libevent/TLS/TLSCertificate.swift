internal import CLibevent
internal import Glibc

/// What is told of a certificate.
public struct TLSCertificate: Hashable, Sendable {
    /// The SHA-256 of its DER form, in hexadecimal digits: its fingerprint.
    public let sha256: String
    /// From when it is valid, in seconds of Unix time.
    public let validFrom: Int64
    /// Until when it is valid, in seconds of Unix time.
    public let expiry: Int64

    /// - Throws: `certificate` where it tells no time that can be read.
    init(_ certificate: OpaquePointer) throws(TLSError) {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard X509_digest(certificate, EVP_sha256(), &digest, &count) == 1 else { throw .library(call: "X509_digest") }
        sha256 = digest.prefix(Int(count)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        validFrom = try Self.seconds(X509_get0_notBefore(certificate))
        expiry = try Self.seconds(X509_get0_notAfter(certificate))
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) throws(TLSError) -> Int64 {
        var parts = tm()
        guard ASN1_TIME_to_tm(time, &parts) == 1 else { throw .certificate(reason: "a time that is none") }
        return Int64(timegm(&parts))
    }
}

/// What a listener shows of itself and asks of others, as the files have it: PEM.
public struct TLSIdentity: Sendable {
    /// The listener's own certificate, then those between it and the root.
    public var certificates: [UInt8]
    /// The private key of the first.
    public var key: [UInt8]
    /// Who may have signed clients' certificates; nil: no client is asked for one.
    public var clientAuthorities: [UInt8]?

    /// An identity without clients' certificates, unless they are given.
    public init(certificates: [UInt8], key: [UInt8], clientAuthorities: [UInt8]? = nil) {
        self.certificates = certificates
        self.key = key
        self.clientAuthorities = clientAuthorities
    }
}
