public import Push

extension MemoryPort {
    /// Takes the device over from its session, when that one has settled.
    public func attach(
        _ token: DeviceToken, secret: [UInt8], certificate: CertificateFingerprint?, session: SessionID
    ) async throws(AttachError) -> Attached {
        let answer: Result<Attached, AttachError> = await withCheckedContinuation { continuation in
            store.state.withLock { state in
                let waiting = MemoryStore.Waiting(
                    token: token, secret: secret, certificate: certificate, session: session, door: door
                ) {
                    continuation.resume(returning: $0)
                }
                Self.attach(waiting, &state)
            }
        }
        return try answer.get()
    }

    private static func attach(_ waiting: MemoryStore.Waiting, _ state: inout MemoryStore.State) {
        let token = waiting.token
        func answer(_ result: Result<Attached, AttachError>, to waiting: MemoryStore.Waiting, _ entries: [Entry] = []) {
            MemoryStore.post(entries, answer: { waiting.answer(result) }, to: waiting.door, state: &state)
        }
        guard !state.behaviour.isUnavailable else { return answer(.failure(.unavailable), to: waiting) }
        guard let device = state.log.devices[token] else { return answer(.failure(.unknownDevice), to: waiting) }
        let isNamed = device.certificate != nil && device.certificate == waiting.certificate
        guard isNamed || device.secret == waiting.secret else { return answer(.failure(.wrongSecret), to: waiting) }
        if let earlier = state.waiting.removeValue(forKey: token) { answer(.failure(.takenOver), to: earlier) }
        if let current = device.session {
            state.waiting[token] = waiting
            MemoryStore.post([.close(device.handle, session: current, .takenOver)], state: &state)
        } else {
            admit(waiting, &state)
        }
    }

    private static func admit(_ waiting: MemoryStore.Waiting, _ state: inout MemoryStore.State) {
        let token = waiting.token
        state.log.devices[token]?.session = waiting.session
        state.tokens[waiting.session] = token
        state.calls.attached.append(waiting.session)
        guard let attached = state.log.attached(token) else { return }
        MemoryStore.post([], answer: { waiting.answer(.success(attached)) }, to: waiting.door, state: &state)
    }

    /// Ends the session, and lets in who waits.
    public func detach(_ device: DeviceHandle, session: SessionID, settledUpTo: Position) {
        store.state.withLock { state in
            state.calls.detached.append(session)
            guard !state.isClosed else { return }
            guard let token = state.tokens.removeValue(forKey: session) else { return }
            Self.answer(session, Unacknowledged.none, &state)
            if let record = state.log.device(device), record.session == session {
                state.log.moveCursor(of: token, to: settledUpTo)
                state.log.devices[token]?.session = nil
            }
            // Decided anew: the device may have been deleted, or its secret changed, while it waited.
            if let waiting = state.waiting.removeValue(forKey: token) { Self.attach(waiting, &state) }
        }
    }

    /// Counts the facts, each once.
    @discardableResult
    public func settle(_ deliveries: [Delivery]) -> Bool {
        store.state.withLock { state in
            state.calls.settled += deliveries
            for delivery in deliveries { state.log.settle(delivery) }
            return !state.behaviour.isFull
        }
    }

    /// A page as the log is now; it may be held back.
    public func pending(for device: DeviceHandle, after: Position, limit: Int) async throws(StoreError) -> Pending {
        let page: Result<Pending, StoreError> = await withCheckedContinuation { continuation in
            store.state.withLock { state in
                state.calls.pages += 1
                let behaviour = state.behaviour
                let found = state.log.pending(for: device, after: after, limit: limit, now: behaviour.now, scan: behaviour.scan)
                let result: Result<Pending, StoreError> =
                    if behaviour.isUnavailable { .failure(.unavailable(retryAfter: .seconds(1))) } else if let found {
                        .success(found)
                    } else { .failure(.refused(Refusal(.noSuchDevice))) }
                let answer: MemoryStore.Answer = { continuation.resume(returning: result) }
                if behaviour.holdsPages {
                    state.heldPages.append((door, answer))
                } else {
                    state.doors[door].mailbox.execute(answer)
                }
            }
        }
        return try page.get()
    }

    /// Counts each event of a device once; the answer may be held back.
    public func commit(_ receipts: [Receipt]) async throws(StoreError) -> [ReceiptResult] {
        let results: Result<[ReceiptResult], StoreError> = await withCheckedContinuation { continuation in
            store.state.withLock { state in
                let isUnavailable = state.behaviour.isUnavailable
                let results = isUnavailable ? [] : receipts.map { Self.count($0, &state) }
                let answer: MemoryStore.Answer = {
                    continuation.resume(returning: isUnavailable ? .failure(.unknown) : .success(results))
                }
                if state.behaviour.holdsReceipts {
                    state.heldReceipts.append((door, answer))
                } else {
                    MemoryStore.post([], answer: answer, to: door, state: &state)
                }
            }
        }
        return try results.get()
    }

    private static func count(_ receipt: Receipt, _ state: inout MemoryStore.State) -> ReceiptResult {
        state.calls.receipts.append(receipt)
        guard let device = state.log.device(receipt.device),
            state.log.rows.contains(where: { $0.task == receipt.task && state.log.concerns($0, device) })
        else { return .refused }
        let told = MemoryStore.Told(task: receipt.task, device: receipt.device, event: receipt.event)
        guard state.told[told] == nil else { return .known }
        state.told[told] = receipt.detail ?? ""
        return .counted
    }
}
