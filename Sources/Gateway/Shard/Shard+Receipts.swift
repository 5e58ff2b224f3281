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
    /// Queues a device's receipt for this turn's batch.
    func enqueue(_ receipt: DeviceReceipt, _ ticket: UInt32?, _ connection: DeviceConnection, _ session: Session) {
        connectionCounters.receipts += 1
        countReceipt(of: connection)
        if session.isTraced {
            trace(connection, "receipt", [("task_id", receipt.task.text), ("receipt", receipt.event.rawValue)])
        }
        let receipt = Receipt(device: session.device, task: receipt.task, event: receipt.event, detail: receipt.detail)
        receipts.append(QueuedReceipt(receipt: receipt, connection: connection, ticket: ticket))
    }

    // MARK: How many in a minute

    private static let minute: Int64 = 60_000_000_000

    /// Counts a receipt, and has the device wait for the next minute when it has sent as many as it may. What it has sent beyond
    /// waits in its socket: nothing is lost, and nothing is refused.
    private func countReceipt(of connection: DeviceConnection) {
        guard let limit = configuration.receiptsPerMinute else { return }
        let minute = UInt16(truncatingIfNeeded: loop.monotonicNow / Self.minute)
        if minute != connection.receiptMinute { (connection.receiptMinute, connection.receiptCount) = (minute, 0) }
        if connection.receiptCount < .max { connection.receiptCount += 1 }
        guard connection.receiptCount >= limit, !connection.isPaused else { return }
        connection.isPaused = true
        connectionCounters.pauses += 1
        connection.socket.setReading(false)
        if paused.isEmpty { pauseTimer?.restart(after: .nanoseconds(Self.minute - loop.monotonicNow % Self.minute)) }
        paused.append(connection)
    }

    /// Another minute has begun.
    func pausesAreOver() {
        enter {
            let waiting = paused
            paused = []
            for connection in waiting {
                connection.isPaused = false
                guard connection.isOpen else { continue }
                restartSilence(of: connection)
                connection.socket.setReading(connection.takesPackets)
            }
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
