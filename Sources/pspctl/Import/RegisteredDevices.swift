import Push

/// Tells which devices of an import the server has already.
struct RegisteredDevices {
    let client: ServerClient

    /// So many are asked for one by one; for more the whole list is read, a thousand a call.
    private static let mostCalls = 500

    /// Those of the tokens that are registered.
    func among(_ tokens: some Collection<String>) async throws -> Set<String> {
        let wanted = Set(tokens)
        var found: Set<String> = []
        guard wanted.count > Self.mostCalls else {
            for token in wanted where try await isRegistered(token) { found.insert(token) }
            return found
        }
        _ = try await Listing(client: client, path: DeviceResource.path(), query: []).read(wanted: nil) { device in
            if let token = device["device_token"]?.string, wanted.contains(token) { found.insert(token) }
        }
        return found
    }

    private func isRegistered(_ token: String) async throws -> Bool {
        do {
            _ = try await client.send(Call(.get, DeviceResource.path(token)))
            return true
        } catch {
            guard case .refused(_, ErrorCode.noSuchDevice.rawValue, _, _) = error else { throw error }
            return false
        }
    }
}
