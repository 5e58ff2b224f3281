internal import Libevent
internal import Logging
internal import MQTT
internal import Push

/// A receipt that waits for the end of the turn, with who waits for its answer.
struct QueuedReceipt {
    let receipt: Receipt
    let connection: DeviceConnection
    /// `nil` at QoS 0.
    let ticket: UInt32?
}

// What devices tell by themselves.

extension Shard {
    /// Takes a device's receipt: into this turn's batch, or for the next minute where the device has sent as many as it may.
    func enqueue(_ receipt: DeviceReceipt, _ ticket: UInt32?, _ connection: DeviceConnection, _ session: Session) {
        if session.isTraced {
            trace(connection, "receipt", [("task_id", receipt.task.text), ("receipt", receipt.event.rawValue)])
        }
        let receipt = Receipt(device: session.device, task: receipt.task, event: receipt.event, detail: receipt.detail)
        admit(QueuedReceipt(receipt: receipt, connection: connection, ticket: ticket))
    }

    // MARK: How many in a minute

    /// Receipts that are taken at once of those that have waited, and how long until the next: thousands of devices may wait for
    /// the same minute.
    private static let takenAtOnce = 1_000
    private static let pauseBetween = Duration.milliseconds(10)

    /// The minute that it is.
    var receiptMinute: UInt16 { configuration.receipts.minute(loop.monotonicNow) }

    /// Receipts beyond the bound wait until the minute is over, unanswered. Nothing is lost, and the device is read on until as
    /// much of it waits as may: its PUBACKs stand behind its receipts.
    private func admit(_ queued: QueuedReceipt) {
        guard let limit = configuration.receipts.perMinute else { return take(queued) }
        let connection = queued.connection
        if connection.hasPostponed {
            postponed[connection.slot]?.append(queued)
            return
        }
        let minute = receiptMinute
        if minute != connection.receiptMinute { (connection.receiptMinute, connection.receiptCount) = (minute, 0) }
        guard connection.receiptCount >= limit else {
            connection.receiptCount += 1
            return take(queued)
        }
        connection.hasPostponed = true
        connectionCounters.postponements += 1
        if postponed.isEmpty { receiptTimer?.restart(after: configuration.receipts.rest(loop.monotonicNow)) }
        postponed[connection.slot] = [queued]
    }

    private func take(_ queued: QueuedReceipt) {
        connectionCounters.receipts += 1
        receipts.append(queued)
    }

    /// Another minute has begun, or there is more to take of those who have waited for it.
    func anotherMinuteBegins() {
        enter {
            if awaited.isEmpty { awaited = postponed.values.compactMap { $0.first?.connection } }
            var left = Self.takenAtOnce
            while left > 0, let connection = awaited.popLast() { left -= takeWaiting(of: connection) }
            if !awaited.isEmpty {
                receiptTimer?.restart(after: Self.pauseBetween)
            } else if !postponed.isEmpty {
                receiptTimer?.restart(after: configuration.receipts.rest(loop.monotonicNow))
            }
        }
    }

    /// Takes as many as the device may send in this minute.
    /// - Returns: how many they were.
    private func takeWaiting(of connection: DeviceConnection) -> Int {
        guard connection.hasPostponed, let waiting = postponed.removeValue(forKey: connection.slot) else { return 0 }
        let count = min(configuration.receipts.perMinute ?? .max, waiting.count)
        (connection.receiptMinute, connection.receiptCount) = (receiptMinute, UInt16(clamping: count))
        for queued in waiting.prefix(count) { take(queued) }
        connection.hasPostponed = count < waiting.count
        if connection.hasPostponed { postponed[connection.slot] = Array(waiting.dropFirst(count)) }
        return count
    }

    /// A connection ends: what has waited of it goes to the store, and what its device has sent in this minute is remembered,
    /// since it may come back at once.
    func endReceipts(of connection: DeviceConnection, _ session: Session) {
        takePostponed(of: connection)
        let minute = receiptMinute
        // Of an earlier minute nothing is to be known.
        guard connection.receiptMinute == minute else { return }
        configuration.receipts.leave(session.device, having: connection.receiptCount, in: minute)
    }

    /// Has a connection wait for another minute no longer: it ends, and what it has sent counts.
    func takePostponed(of connection: DeviceConnection) {
        guard connection.hasPostponed, let waiting = postponed.removeValue(forKey: connection.slot) else { return }
        connection.hasPostponed = false
        connection.receiptCount = UInt16(clamping: Int(connection.receiptCount) + waiting.count)
        for queued in waiting { take(queued) }
    }

    /// Receipts that one call brings: the store decides each call as a whole.
    private static let largestBatch = 1_000

    /// Hands this turn's receipts to the store; they are answered when they are committed.
    func commitReceipts() {
        guard !defersReceipts() else { return }
        let all = receipts
        receipts = []
        for start in stride(from: 0, to: all.count, by: Self.largestBatch) {
            commit(Array(all[start..<min(start + Self.largestBatch, all.count)]))
        }
    }

    private func commit(_ batch: [QueuedReceipt]) {
        outstandingCalls += 1
        Task.immediate(executorPreference: loop) {
            let answer: Result<[ReceiptResult], StoreError>
            do throws(StoreError) {
                answer = .success(try await store.commit(batch.map(\.receipt)))
            } catch {
                answer = .failure(error)
            }
            outstandingCalls -= 1
            enter {
                switch answer {
                case .success(let results): acknowledge(batch, results)
                case .failure(let error): abandon(batch, error)
                }
            }
        }
    }

    private func acknowledge(_ batch: [QueuedReceipt], _ results: [ReceiptResult]) {
        precondition(results.count == batch.count, "the store answers every receipt")
        for (queued, result) in zip(batch, results) {
            if result == .refused { logRefusedReceipt(of: queued.connection) }
            guard case .open(let session, let dispatcher) = queued.connection.state else { continue }
            if let ticket = queued.ticket {
                for packet in session.conversation.complete(ticket, with: result) { dispatcher.write(packet, to: session) }
            } else {
                session.conversation.completeUnanswered()
            }
            queued.connection.socket.setReading(queued.connection.takesPackets)
        }
    }

    /// Whether they are committed is unknown, so they are not answered: a device that wanted an answer is sent away and tells
    /// them again. One that wanted none is read on. Where the store is another machine's they are told again instead.
    private func abandon(_ batch: [QueuedReceipt], _ error: StoreError) {
        log(.error, "receipts cannot be committed", cause: "", ["count": "\(batch.count)", "error": "\(error)"])
        if staysWithoutStore { return putOff(batch) }
        for queued in batch {
            guard case .open(let session, _) = queued.connection.state else { continue }
            guard queued.ticket != nil else {
                session.conversation.completeUnanswered()
                queued.connection.socket.setReading(queued.connection.takesPackets)
                continue
            }
            close(queued.connection, .disconnect(.serverBusy, session.version, cause: "the store cannot commit receipts"))
        }
    }
}
