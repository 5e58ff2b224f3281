import StoreContract

extension StoreKind {
    /// A store with an app and three devices: d1 (Android) and d2 (iOS) of u1 in east, d3 (Android, a test device) in west, both
    /// below root.
    /// - Parameter isSmall: whether the store is to be one that tidies up all the time.
    func furnished(isSmall: Bool = false) async throws -> ContractFixture {
        let fixture = try await open(variation: isSmall ? 1 : 0)
        let port = fixture.port
        try await port.makeApp("app")
        try await port.makeOrg("root")
        try await port.makeOrg("east", under: "root")
        try await port.makeOrg("west", under: "root")
        try await port.makeDevice("d1", in: "east", user: "u1")
        try await port.makeDevice("d2", in: "east", .ios, user: "u1")
        try await port.makeDevice("d3", in: "west", test: true)
        return fixture
    }
}

/// Milliseconds.
let hour: Int64 = 3_600_000
let day = 24 * hour
