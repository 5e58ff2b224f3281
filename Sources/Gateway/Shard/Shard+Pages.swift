internal import MQTT
internal import Push

// Pages of the log, for sessions that catch up.

extension Shard {
    /// Asks for the pages that sessions wait for, as many as may be read at the same time.
    func readPages() {
        for dispatcher in dispatchers where !dispatcher.pageQueue.isEmpty {
            while pagesBeingRead < configuration.concurrentReads, let request = dispatcher.nextPageRequest() {
                read(request, dispatcher)
            }
        }
    }

    private func read(_ request: PageRequest, _ dispatcher: Dispatcher) {
        pagesBeingRead += 1
        outstandingCalls += 1
        Task.immediate(executorPreference: loop) {
            let session = request.session
            let answer: Result<Pending, StoreError>
            do throws(StoreError) {
                answer = .success(try await store.pending(for: session.device, after: request.after, limit: request.limit))
            } catch {
                answer = .failure(error)
            }
            pagesBeingRead -= 1
            outstandingCalls -= 1
            enter {
                switch answer {
                case .success(let page): dispatcher.offer(page, for: request)
                case .failure(let error): abandon(request, dispatcher, error)
                }
            }
        }
    }

    /// The store cannot read: the device comes back later, and finds everything in the log. Where the store is another
    /// machine's the connection stays, and the page is asked for again.
    private func abandon(_ request: PageRequest, _ dispatcher: Dispatcher, _ error: StoreError) {
        dispatcher.abandon(request)
        let session = request.session
        guard session.state != .frozen, let connection = connections[Int(session.connectionSlot)] else { return }
        log(
            staysWithoutStore ? .warning : .error, "a page of the log cannot be read", cause: "",
            metadata(of: connection, "\(error)"))
        if staysWithoutStore { return pause() }
        close(connection, .disconnect(.serverBusy, session.version, cause: "the store cannot read"))
    }
}
