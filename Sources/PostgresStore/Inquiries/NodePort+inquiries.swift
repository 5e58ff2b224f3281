internal import Push
internal import StoreCore

// What is asked about devices, and answered by the loops of their connections.

extension NodePort {
    func backlog(of token: DeviceToken, patience: Duration) async throws(StoreError) -> Backlog {
        try await ask { node throws(StoreError) in try await node.backlog(of: token, patience: patience) }
    }

    func explain(
        _ task: TaskID, to device: DeviceToken, within scope: OrgID?, patience: Duration
    ) async throws(StoreError) -> Explanation {
        try await ask { node throws(StoreError) in
            try await node.explain(task, to: device, within: scope, patience: patience)
        }
    }

    func tell(_ unacknowledged: Unacknowledged, of session: SessionID) { node.enter { $0.tell(unacknowledged, of: session) } }
}
