/// Apps, organisations, devices. A change is one whole call; it takes effect at one position of each lane that it concerns, and
/// returns when every loop has applied it.
public protocol Directory: Sendable {
    /// - Parameter call: the operator's, which says what it may touch.
    /// - Throws: `refused` with 2101 to 2104, 2201, 2203, 2206, 2207.
    func apply(_ change: DirectoryChange, by call: OperatorCall) async throws(StoreError) -> ChangeResult

    /// An app has used that secret of its own for the first time on that day, as far as a loop knows. A hint for operators that
    /// nobody waits for: where it cannot be written it is lost.
    /// - Parameter day: since 1970-01-01 in UTC.
    func secretUsed(_ secret: String, by app: AppKey, on day: Int64)

    /// - Throws: `refused` with 2206.
    func app(_ key: AppKey) async throws(StoreError) -> App
    /// - Parameter scope: outside of which there is none, and above which nothing.
    /// - Throws: `refused` with 2203.
    func organisation(_ id: OrgID, within scope: OrgID?) async throws(StoreError) -> Organisation
    /// - Parameter scope: outside of which there is none.
    /// - Throws: `refused` with 2201.
    func device(_ token: DeviceToken, within scope: OrgID?) async throws(StoreError) -> Device

    /// What a device has still to get. Its connection is asked about, wherever it is: a loop that does not tell within `patience`
    /// is not waited for.
    /// - Throws: `refused` with 2201.
    func backlog(of token: DeviceToken, patience: Duration) async throws(StoreError) -> Backlog

    /// Has the connection of a device closed, wherever it is; returns when every loop has been told. One that has none is left
    /// alone, and any may connect again.
    /// - Throws: `refused` with 2201.
    func disconnect(_ token: DeviceToken, by call: OperatorCall) async throws(StoreError)

    func apps(after: PageToken?, limit: Int) async throws(StoreError) -> Page<App>
    func organisations(within scope: OrgID?, after: PageToken?, limit: Int) async throws(StoreError) -> Page<Organisation>
    func devices(_ filter: DeviceFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<Device>
}

extension Directory {
    /// Wherever it is.
    public func organisation(_ id: OrgID) async throws(StoreError) -> Organisation { try await organisation(id, within: nil) }

    /// Wherever it is.
    public func device(_ token: DeviceToken) async throws(StoreError) -> Device { try await device(token, within: nil) }

    /// All of them.
    public func organisations(after: PageToken?, limit: Int) async throws(StoreError) -> Page<Organisation> {
        try await organisations(within: nil, after: after, limit: limit)
    }
}
