internal import Crypto
internal import Postgres
internal import Push
internal import StoreCore

/// A device as a CONNECT is judged by it (`find_devices_1`).
struct FoundDevice {
    let ordinal: UInt32
    let verifier: SecretVerifier
    let certificate: CertificateFingerprint?
    /// Where it belongs, and since which positions.
    let membership: Membership
    let organisationSince: UInt64
    let userSince: UInt64
    let testSince: UInt64
    let created: UInt64
    let version: Int32

    init(_ rows: PostgresRows, _ row: Int) throws(PostgresShapeError) {
        ordinal = UInt32(truncatingIfNeeded: try rows.present8(row, 1))
        guard let salt = try rows.bytea(row, 2), let digest = try rows.bytea(row, 3) else { throw .null }
        verifier = SecretVerifier(salt: salt, digest: digest)
        certificate = try rows.bytea(row, 4).flatMap { CertificateFingerprint(bytes: $0) }
        membership = Membership(
            organisation: OrgHandle(index: UInt32(bitPattern: try rows.present4(row, 5))),
            user: try rows.int8(row, 7).map { UserHandle(raw: UInt64(bitPattern: $0)) },
            platform: Platform(number: Int64(try rows.present4(row, 9))), test: try rows.bool(row, 10) ?? false)
        organisationSince = try rows.position(row, 6)
        userSince = try rows.position(row, 8)
        testSince = try rows.position(row, 11)
        created = try rows.position(row, 12)
        version = try rows.present4(row, 13)
    }

    /// Whether it is the device's secret, or the certificate that its record names.
    func accepts(_ attachment: Attachment) -> Bool {
        let isNamed = certificate != nil && certificate == attachment.certificate
        return isNamed || verifier.accepts(attachment.secret)
    }
}
