import JSON

/// An organisation with everything below it, as far as devices are in it themselves.
struct OrganisationTree {
    /// The organisations that have devices of their own, parents before what is below them.
    private(set) var withDevices: [String] = []

    /// Reads the tree.
    /// - Throws: `Failure.refused` with 2203 for one that there is not.
    init(below root: String, _ client: ServerClient) async throws {
        _ = try await client.send(Call(.get, OrganisationResource.path(root)))
        var children: [String: [String]] = [:]
        // Of the subtree; what the children have taken away is left.
        var own: [String: Int64] = [:]
        var found: [(id: String, parent: String?, devices: Int64)] = []
        _ = try await Listing(client: client, path: OrganisationResource.path(), query: []).read(wanted: nil) { org in
            guard let id = org["org_id"]?.string else { return }
            found.append((id, org["parent_id"]?.string, org["devices"]?.int64 ?? 0))
        }
        for org in found {
            own[org.id, default: 0] += org.devices
            guard let parent = org.parent else { continue }
            children[parent, default: []].append(org.id)
            own[parent, default: 0] -= org.devices
        }
        var waiting = [root]
        while let org = waiting.popLast() {
            if own[org] ?? 0 > 0 { withDevices.append(org) }
            waiting += (children[org] ?? []).reversed()
        }
    }
}
