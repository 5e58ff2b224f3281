public import Push

// What the store tells: rows for the dispatchers, and sessions that are to be closed.

extension Shard {
    /// Applies an event of the feed. On the loop's thread, as a job of its own: when it returns, nothing that the event ended
    /// is handed to a connection any more.
    public nonisolated func apply(_ event: FeedEvent) {
        assumeIsolated { shard in
            assert(!shard.isEntered, "an event of the feed comes from outside")
            shard.enter { shard.dispatch(event) }
        }
    }

    func dispatch(_ event: FeedEvent) {
        guard early == nil else {
            early?.append(event)
            return
        }
        switch event {
        case .entries(let lane, let upTo, let entries):
            guard let dispatcher = dispatcher(of: lane) else {
                logger.error("a feed without a snapshot", metadata: ["lane": "\(lane.index)"])
                return
            }
            dispatcher.beginEvent()
            for entry in entries { dispatch(entry, by: dispatcher) }
            dispatcher.endEvent(at: upTo)
        case .gap(let lane, let now, let snapshot):
            logger.notice("the feed has a gap: every session catches up", metadata: ["lane": "\(lane.index)"])
            readLease()
            if let dispatcher = dispatcher(of: lane) {
                dispatcher.reset(to: snapshot, now: now)
            } else {
                dispatchers.append(makeDispatcher(snapshot))
            }
        }
    }

    private func dispatch(_ entry: Entry, by dispatcher: Dispatcher) {
        switch entry {
        case .close(let handle, let id, let reason): return closeSession(id, of: handle, reason, dispatcher)
        case .inquiry(let handle, let id): return tellUnacknowledged(of: id, handle, dispatcher)
        default: break
        }
        // The feed tells everything at least once: what was applied is not applied again.
        if let position = entry.position, position <= dispatcher.head { return }
        dispatcher.apply(entry)
    }

    private func closeSession(_ id: SessionID, of handle: DeviceHandle, _ reason: DisconnectReason, _ dispatcher: Dispatcher) {
        if let session = dispatcher.sessions[handle], session.id == id, let connection = connections[Int(session.connectionSlot)]
        {
            close(connection, .closed(reason, session.version), draining: reason != .withdrawn)
        } else if let connection = attaching[id], case .attaching = connection.state {
            // The answer to its attach is on the way. Where there is none, it has gone, and its detach was sent before.
            connection.state = .attaching(closed: reason)
        }
    }

    /// Answers an inquiry about a session of this loop. Of one that has ended the store learns by its detach.
    private func tellUnacknowledged(of id: SessionID, _ handle: DeviceHandle, _ dispatcher: Dispatcher) {
        if let session = dispatcher.sessions[handle], session.id == id {
            let window = session.window
            let messages = window.remembered.map { position, isAcknowledged, time in
                Unacknowledged.Message(position: position, age: clock.age(of: time), isAcknowledged: isAcknowledged)
            }
            store.tell(Unacknowledged(messages: messages), of: id)
        } else if attaching[id] != nil {
            store.tell(.none, of: id)
        }
    }

    func dispatcher(of lane: Lane) -> Dispatcher? { dispatchers.first { $0.lane == lane } }
}
