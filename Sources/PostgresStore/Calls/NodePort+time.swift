internal import Push

// How store time and the database's wall clock stand to each other.

extension NodePort {
    var sharedWallClock: (@Sendable () -> Int64)? { { [node] in node.wall.now } }

    func clockState() async throws(StoreError) -> ClockState {
        try await ask { node throws(StoreError) in try await node.clockState() }
    }

    func acceptWallClock(by call: OperatorCall) async throws(StoreError) -> ClockState {
        try await ask { node throws(StoreError) in
            try await node.acceptWallClock(by: call)
            return try await node.clockState()
        }
    }
}
