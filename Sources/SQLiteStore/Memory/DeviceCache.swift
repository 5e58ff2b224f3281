internal import Push
internal import StoreCore

/// Devices that pushes looked up lately, so that the next push to one reads no page (9,000 instructions less). Writer only.
///
/// It never differs from the file: whatever changes a device forgets it here first, and a transaction that fails forgets all.
struct DeviceCache {
    /// What a push has to know of a device.
    struct Addressee {
        let ordinal: UInt32
        let platform: Platform
        let test: Bool
        let org: UInt32
    }

    private struct Entry {
        let token: DeviceToken
        let device: Addressee
    }

    /// Above this many (about 12 MiB) it begins anew.
    private static let capacity = 98_304
    /// By ``StableHash``, which the file's index needs anyway; of two tokens with one hash the later has the place.
    private var entries: [Int64: Entry] = [:]

    /// - Parameter key: the token's ``StableHash``.
    func device(_ token: DeviceToken, key: Int64) -> Addressee? {
        guard let entry = entries[key], entry.token == token else { return nil }
        return entry.device
    }

    mutating func insert(_ device: Addressee, _ token: DeviceToken, key: Int64) {
        if entries.count >= Self.capacity { entries.removeAll(keepingCapacity: true) }
        entries[key] = Entry(token: token, device: device)
    }

    /// The device is about to change.
    mutating func forget(_ token: DeviceToken) { entries[StableHash.of(token.text)] = nil }

    mutating func removeAll() { entries.removeAll(keepingCapacity: true) }
}
