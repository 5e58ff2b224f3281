internal import Base

// Each host of an address by itself.

extension PostgresAddress {
    /// For each host its name, and addresses of it alone, whatever role it has among them (`target_session_attrs` is left out):
    /// one for each numeric address that the name has now. Where the name cannot be resolved, one with the name, which says why
    /// to whoever connects.
    public func places() async -> [(name: String, addresses: [PostgresAddress])] {
        await withCheckedContinuation { continuation in
            do throws(SystemError) {
                try Errand.run("resolver") {
                    continuation.resume(returning: hosts.map { ($0.description, places(of: $0, resolving: true)) })
                }
            } catch {
                continuation.resume(returning: hosts.map { ($0.description, places(of: $0, resolving: false)) })
            }
        }
    }

    /// Blocks where it resolves.
    private func places(of host: Host, resolving: Bool) -> [PostgresAddress] {
        let parameters = parameters.filter { $0.keyword != "target_session_attrs" }
        let found = resolving ? (try? Endpoint.resolve(host)) ?? [] : []
        guard found.count > 1 else { return [PostgresAddress(of: host, parameters)] }
        return found.map { PostgresAddress(of: Host(name: $0.host, address: $0.address, port: $0.port), parameters) }
    }
}
