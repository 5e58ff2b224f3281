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

    private static let minute: Int64 = 60_000_000_000

    /// Receipts beyond the bound wait until the minute is over, unanswered. Nothing is lost, and the device is read on until as
    /// much of it waits as may: its PUBACKs stand behind its receipts.
    private func admit(_ queued: QueuedReceipt) {
        guard let limit = configuration.receipts.perMinute else { return take(queued) }
        let connection = queued.connection
        let minute = ReceiptAllowance.minute(loop.monotonicNow)
        if minute != connection.receiptMinute { (connection.receiptMinute, connection.receiptCount) = (minute, 0) }
        if connection.receiptCount < limit, !connection.hasPostponed {
            connection.receiptCount += 1
            return take(queued)
        }
        if !connection.hasPostponed {
            connection.hasPostponed = true
            connectionCounters.postponements += 1
        }
        if postponed.isEmpty { receiptTimer?.restart(after: .nanoseconds(Self.minute - loop.monotonicNow % Self.minute)) }
        postponed.append(queued)
    }

    private func take(_ queued: QueuedReceipt) {
        connectionCounters.receipts += 1
        receipts.append(queued)
    }

    /// Another minute has begun.
    func anotherMinuteBegins() {
        enter {
            let waiting = postponed
            postponed = []
            for queued in waiting {
                queued.connection.hasPostponed = false
                queued.connection.receiptCount = 0
            }
            for queued in waiting { admit(queued) }
        }
    }

    /// A connection ends: what has waited of it goes to the store, and what its device has sent in this minute is remembered,
    /// since it may come back at once.
    func endReceipts(of connection: DeviceConnection, _ session: Session) {
        configuration.receipts.leave(session.device, having: connection.receiptCount, in: connection.receiptMinute)
        takePostponed(of: [connection])
    }

    /// Has these connections wait for another minute no longer.
    func takePostponed(of ending: [DeviceConnection]) {
        guard ending.contains(where: \.hasPostponed) else { return }
        for connection in ending { connection.hasPostponed = false }
        let waiting = postponed
        postponed = []
        for queued in waiting {
            if queued.connection.hasPostponed { postponed.append(queued) } else { take(queued) }
        }
    }

    /// Hands this turn's receipts to the store; they are answered when they are committed.
    func commitReceipts() {
        guard !receipts.isEmpty else { return }
        let batch = receipts
        receipts = []
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
    /// them again. One that wanted none is read on.
    private func abandon(_ batch: [QueuedReceipt], _ error: StoreError) {
        log(.error, "receipts cannot be committed", cause: "", ["count": "\(batch.count)", "error": "\(error)"])
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
