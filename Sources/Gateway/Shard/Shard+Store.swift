internal import Logging
internal import MQTT
internal import Push

// Pages and receipts: what the shard asks the store for once sessions are open.

extension Shard {
    // MARK: Pages

    /// Asks for the pages that sessions wait for, as many as may be read at the same time.
    func readPages() {
        for dispatcher in dispatchers where !dispatcher.waiting.isEmpty {
            while reads < configuration.concurrentReads, let request = dispatcher.nextRequest() {
                read(request, dispatcher)
            }
        }
        // Sessions may have been served from the ring while they waited.
        flush()
    }

    private func read(_ request: PageRequest, _ dispatcher: Dispatcher) {
        reads += 1
        outstanding += 1
        Task.immediate(executorPreference: loop) {
            let session = request.session
            let answer: Result<Pending, StoreError>
            do throws(StoreError) {
                answer = .success(try await store.pending(for: session.device, after: request.after, limit: request.limit))
            } catch {
                answer = .failure(error)
            }
            reads -= 1
            outstanding -= 1
            dispatcher.now = loop.wallClockMilliseconds
            switch answer {
            case .success(let page): dispatcher.take(page, for: request)
            case .failure(let error): abandon(request, dispatcher, error)
            }
            flush()
            if let device = connections[session.connection], device.session === session { sendPrologue(device) }
            readPages()
            resumeIfQuiet()
        }
    }

    /// The store cannot read: the device comes back later, and finds everything in the log.
    private func abandon(_ request: PageRequest, _ dispatcher: Dispatcher, _ error: StoreError) {
        dispatcher.abandon(request)
        let session = request.session
        guard session.state != .closing, let device = connections[session.connection] else { return }
        logger.error("a page of the log cannot be read", metadata: metadata(of: device, "\(error)"))
        end(device, .disconnect(.serverBusy, session.version, cause: "the store cannot read"), draining: false)
    }

    // MARK: Receipts

    /// Queues a device's receipt for this turn's batch.
    func enqueue(_ receipt: DeviceReceipt, _ ticket: UInt32?, _ device: DeviceConnection) {
        guard let session = device.session else { return }
        own.receipts += 1
        receipts.append(Receipt(device: session.device, task: receipt.task, event: receipt.event, detail: receipt.detail))
        receiptOwners.append((device, ticket))
    }

    /// Hands this turn's receipts to the store; they are answered when they are committed.
    func commitReceipts() {
        guard !receipts.isEmpty else { return }
        let batch = receipts
        let owners = receiptOwners
        receipts = []
        receiptOwners = []
        outstanding += 1
        Task.immediate(executorPreference: loop) {
            let answer: Result<[ReceiptResult], StoreError>
            do throws(StoreError) {
                answer = .success(try await store.commit(batch))
            } catch {
                answer = .failure(error)
            }
            outstanding -= 1
            switch answer {
            case .success(let results): answerReceipts(owners, results)
            case .failure(let error): refuseReceipts(owners, error)
            }
            resumeIfQuiet()
        }
    }

    private func answerReceipts(_ owners: [(device: DeviceConnection, ticket: UInt32?)], _ results: [ReceiptResult]) {
        precondition(results.count == owners.count, "the store answers every receipt")
        for (owner, result) in zip(owners, results) {
            if result == .refused {
                logger.info(
                    "a device's receipt leads to nothing",
                    metadata: metadata(of: owner.device, "not a task that addressed the device"))
            }
            guard let ticket = owner.ticket, !owner.device.hasEnded else { continue }
            for packet in owner.device.conversation.complete(ticket, with: result) { send(packet, to: owner.device) }
        }
        flush()
        for owner in owners where owner.device.conversation.phase == .open {
            owner.device.connection.setReading(owner.device.takesPackets)
        }
    }

    /// Whether they are committed is unknown, so they are not answered: a device that wanted an answer is sent away and tells them again.
    private func refuseReceipts(_ owners: [(device: DeviceConnection, ticket: UInt32?)], _ error: StoreError) {
        logger.error("receipts cannot be committed", metadata: ["count": "\(owners.count)", "error": "\(error)"])
        for owner in owners where owner.ticket != nil && !owner.device.hasEnded {
            let version = owner.device.conversation.version
            end(owner.device, .disconnect(.serverBusy, version, cause: "the store cannot commit receipts"), draining: false)
        }
    }
}
