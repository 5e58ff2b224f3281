public import Push

// What a device has still to get, and what its connection's loop tells of it.

extension MemoryPort {
    /// Asks the loop of the device's connection, and counts what the log has for it.
    public func backlog(of token: DeviceToken, patience: Duration) async throws(StoreError) -> Backlog {
        let device = try await attempt { state in
            (
                state.log.devices[token].map(Result.success)
                    ?? .failure(.refused(Refusal(.noSuchDevice, field: "device_token"))), []
            )
        }
        var unacknowledged: Unacknowledged? = Unacknowledged.none
        if let session = device.session { unacknowledged = await ask(about: session, of: device.handle, patience) }
        let told = unacknowledged
        return try await attempt { state in
            let now = state.behaviour.now
            guard let found = state.log.pending(for: device.handle, after: device.cursor, limit: Backlog.most, now: now) else {
                return (.failure(.refused(Refusal(.noSuchDevice, field: "device_token"))), [])
            }
            let pending = found.rows.count { !device.settledBeyond.contains($0.position) }
            let isMore = found.lookedUpTo < state.log.end
            return (.success(Backlog(pending: pending, isMore: isMore, unacknowledged: told, now: now)), [])
        }
    }

    /// - Returns: `nil` where nobody told in time.
    func ask(about session: SessionID, of device: DeviceHandle, _ patience: Duration) async -> Unacknowledged? {
        let store = store
        let impatient = Task {
            do { try await Task.sleep(for: patience) } catch { return }
            store.state.withLock { Self.answer(session, nil, &$0) }
        }
        defer { impatient.cancel() }
        return await withCheckedContinuation { continuation in
            store.state.withLock { state in
                // It may have ended since.
                guard state.tokens[session] != nil else {
                    let answer: MemoryStore.Answer = { continuation.resume(returning: Unacknowledged.none) }
                    return MemoryStore.post([], answer: answer, to: door, state: &state)
                }
                let inquiry = MemoryStore.Inquiry(session: session, door: door) { continuation.resume(returning: $0) }
                state.inquiries.append(inquiry)
                MemoryStore.post([.inquiry(device, session: session)], state: &state)
            }
        }
    }

    /// Answers everybody who asked about the session.
    public func tell(_ unacknowledged: Unacknowledged, of session: SessionID) {
        store.state.withLock { Self.answer(session, unacknowledged, &$0) }
    }

    /// - Parameter told: `nil` where nobody told in time.
    static func answer(_ session: SessionID, _ told: Unacknowledged?, _ state: inout MemoryStore.State) {
        for inquiry in state.inquiries where inquiry.session == session {
            MemoryStore.post([], answer: { inquiry.answer(told) }, to: inquiry.door, state: &state)
        }
        state.inquiries.removeAll { $0.session == session }
    }
}
