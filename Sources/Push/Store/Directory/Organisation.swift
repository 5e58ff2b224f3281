/// An organisation with its subtree's counters.
public struct Organisation: Hashable, Sendable {
    /// Its name in requests.
    public var id: OrgID
    /// For people.
    public var name: String
    /// The one above; `nil` for a root.
    public var parent: OrgID?
    /// Devices of it and of everything below it.
    public var devices: Int
    /// Those of them that are connected.
    public var online: Int

    /// An organisation as of one moment.
    public init(id: OrgID, name: String, parent: OrgID?, devices: Int, online: Int) {
        self.id = id
        self.name = name
        self.parent = parent
        self.devices = devices
        self.online = online
    }
}
