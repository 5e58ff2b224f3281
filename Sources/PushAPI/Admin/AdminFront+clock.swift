internal import JSON
internal import Push
internal import Web

/// How the server tells the time, and an operator's word that the wall clock is right.
extension AdminFront {
    func clock(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let state = try await store.clockState()
        return .success { $0.value(state) }
    }

    func acceptClock(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let state = try await store.acceptWallClock(by: try operatorCall(of: request))
        return .success(202) { $0.value(state) }
    }
}

extension JSONWriter {
    /// Writes how store time and the wall clock stand to each other. What is a time of day is so by the wall clock.
    mutating func value(_ state: ClockState) {
        object { json in
            json.member("store_time", state.storeTime)
            json.member("wall_clock", state.wallClock)
            json.member("offset", state.wallClock - state.storeTime)
            json.member("synchronised", state.isSynchronised)
            json.member("steps", state.steps)
            guard let ahead = state.ahead else { return }
            json.key("ahead")
            json.object { json in
                json.member("since", state.wallClock - ahead.duration)
                switch ahead.waitsFor {
                case .time(let left):
                    json.member("waits_for", "time")
                    json.member("follows_at", state.wallClock + left)
                case .synchronisation: json.member("waits_for", "synchronisation")
                }
            }
        }
    }
}
