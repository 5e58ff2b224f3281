// What a record that is new must bring: all that it lacks is told at once.

extension AppChange {
    /// What a new app needs.
    /// - Parameter secretIfNew: for one that brings no secret.
    /// - Throws: 2102.
    public func required(secretIfNew: String?) throws(Refusal) -> (name: String, interfaces: Set<Interface>, secret: String) {
        let secret = masterSecret ?? secretIfNew
        guard let name, let interfaces, let secret else {
            throw Refusal(lacking: [("name", name == nil), ("interfaces", interfaces == nil), ("master_secret", secret == nil)])
        }
        return (name, interfaces, secret)
    }
}

extension OrganisationChange {
    /// What a new organisation needs.
    /// - Throws: 2102.
    public func required() throws(Refusal) -> String {
        guard let name else { throw Refusal(lacking: [("name", true)]) }
        return name
    }
}

extension DeviceChange {
    /// What a new device needs.
    /// - Parameter secretIfNew: for one that brings no secret.
    /// - Throws: 2102.
    public func required(secretIfNew: String?) throws(Refusal) -> (platform: Platform, organisation: OrgID, secret: String) {
        let secret = secret ?? secretIfNew
        guard let platform, let organisation, let secret else {
            throw Refusal(lacking: [("platform", platform == nil), ("org_id", organisation == nil), ("secret", secret == nil)])
        }
        return (platform, organisation, secret)
    }
}

extension Refusal {
    init(lacking fields: [(name: String, isMissing: Bool)]) {
        let missing = fields.compactMap { $0.isMissing ? $0.name : nil }
        self.init(.missingField, field: missing.first, .missing(missing))
    }
}
