internal import Postgres
internal import Push
internal import StoreCore

/// A device as operators see it (`device_1`, `list_devices_1`), and how far it is.
struct DeviceRow {
    /// Who has its connection: a node that lives.
    struct Connection {
        let node: Int32
        let session: SessionID
    }

    let ordinal: UInt32
    let device: Device
    let connection: Connection?
    /// Everything up to here is acknowledged.
    let cursor: UInt64
    /// Acknowledged beyond it.
    let beyond: Set<UInt64>

    init(_ rows: PostgresRows, _ row: Int) throws(PostgresShapeError) {
        ordinal = UInt32(truncatingIfNeeded: try rows.present8(row, 0))
        let node = try rows.text(row, 8)
        device = Device(
            token: DeviceToken(unchecked: try rows.name(row, 1) ?? ""),
            platform: Platform(number: Int64(try rows.present4(row, 2))),
            organisation: OrgID(unchecked: try rows.name(row, 3) ?? ""),
            user: try rows.name(row, 4).map { UserID(unchecked: $0) }, test: try rows.bool(row, 5) ?? false, online: node != nil,
            node: node.map { NodeName(host: $0) }, lastSeen: try rows.int8(row, 7),
            certificate: try rows.bytea(row, 6).flatMap { CertificateFingerprint(bytes: $0) })
        if let number = try rows.int4(row, 9), let session = try rows.int8(row, 10) {
            connection = Connection(node: number, session: SessionID(raw: UInt64(bitPattern: session)))
        } else {
            connection = nil
        }
        cursor = try rows.position(row, 11)
        beyond = Set(try rows.array(row, 12, of: .int8)?.int8s().map { UInt64(bitPattern: $0) } ?? [])
    }
}
