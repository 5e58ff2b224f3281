internal import Push
internal import StoreCore

// What operators look up.

extension NodePort {
    func app(_ key: AppKey) async throws(StoreError) -> App {
        try await ask { node throws(StoreError) in try await node.app(key) }
    }

    func organisation(_ id: OrgID, within scope: OrgID?) async throws(StoreError) -> Organisation {
        try await ask { node throws(StoreError) in try await node.organisation(id, within: scope) }
    }

    func device(_ token: DeviceToken, within scope: OrgID?) async throws(StoreError) -> Device {
        try await ask { node throws(StoreError) in try await node.device(token, within: scope).device }
    }

    func apps(after: PageToken?, limit: Int) async throws(StoreError) -> Page<App> {
        try await ask { node throws(StoreError) in try await node.apps(after: after, limit: limit) }
    }

    func organisations(within scope: OrgID?, after: PageToken?, limit: Int) async throws(StoreError) -> Page<Organisation> {
        try await ask { node throws(StoreError) in try await node.organisations(within: scope, after: after, limit: limit) }
    }

    func devices(_ filter: DeviceFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<Device> {
        try await ask { node throws(StoreError) in try await node.devices(filter, after: after, limit: limit) }
    }
}
