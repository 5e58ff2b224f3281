internal import Push
internal import StoreCore

// Changes of the directory.

extension NodePort {
    func apply(_ change: DirectoryChange, by call: OperatorCall) async throws(StoreError) -> ChangeResult {
        try await ask { node throws(StoreError) in try await node.apply(change, by: call) }
    }
}
