public import Push

// Why a device has a task, or has it not.

extension MemoryPort {
    /// Asks the loop of the device's connection as well.
    public func explain(
        _ task: TaskID, to token: DeviceToken, within scope: OrgID?, patience: Duration
    ) async throws(StoreError) -> Explanation {
        let shown = try await device(token)
        let known = try await attempt { state in
            (
                state.log.devices[token].map(Result.success)
                    ?? .failure(.refused(Refusal(.noSuchDevice, field: "device"))), []
            )
        }
        let (handle, cursor, beyond) = (known.handle, known.cursor, known.settledBeyond)
        var unacknowledged: Unacknowledged? = Unacknowledged.none
        if let session = known.session { unacknowledged = await ask(about: session, of: handle, patience) }
        let told = unacknowledged
        return try await attempt { state in
            guard let record = state.tasks[task] else {
                return (.failure(.refused(Refusal(.noSuchTask, field: "task_id"))), [])
            }
            let report = Self.report(record, state)
            let isAddressed = record.targeted.contains(handle) || record.tooLarge.contains(handle)
            var found: RecipientState?
            var detail: String?
            if isAddressed {
                let states = RecipientState.allCases.filter { ReceiptEvent(rawValue: $0.rawValue) == nil }
                for state_ in states where found == nil {
                    guard let text = Self.detail(state_, record, handle, report.status, state) else { continue }
                    (found, detail) = (state_, text.isEmpty ? nil : text)
                }
            }
            var wait: Explanation.Wait?
            if found == .pending {
                let now = state.behaviour.now
                let pending = state.log.pending(for: handle, after: cursor, limit: .max, now: now)?.rows ?? []
                let ahead = pending.filter { !beyond.contains($0.position) && $0.position < record.row.position }
                wait = Explanation.Wait(
                    ahead: ahead.count, isMore: false, behind: ahead.first?.task, unacknowledged: told, now: now)
            }
            let explanation = Explanation(
                task: report, device: shown, standing: isAddressed ? .addressed : .outside, state: found, detail: detail,
                membership: Explanation.Membership(organisation: shown.organisation, user: shown.user, test: shown.test),
                wait: wait, message: told?.messages.first { $0.position == record.row.position }, now: state.behaviour.now)
            return (.success(explanation), [])
        }
    }
}
