internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// Devices come and go: many at a time, in one call.

extension StoreNode {
    /// How many go in one call.
    private static let most = 256
    /// How soon a device is asked for again at the earliest, and at the latest: after that every lease has ended that was not
    /// renewed.
    private static let (soonest, latest) = (Duration.milliseconds(200), Duration.milliseconds(5_500))
    /// How soon where the other node has no lease any more, and may come back all the same, as the database was away.
    private static let doubt = Duration.seconds(2)

    func attach(_ attachment: Attachment) {
        guard isServing else { return refuse(attachment, .unavailable) }
        sessions.beginClaim(attachment.session)
        if attachments.add(attachment) { work { await $0.attachAll() } }
    }

    private func attachAll() async {
        while true {
            let batch = attachments.next(atMost: Self.most)
            if batch.isEmpty { return }
            do throws(PostgresShapeError) { try await attach(batch) } catch {
                options.log("devices cannot be looked up: \(error)")
                for attachment in batch { refuse(attachment, .unavailable) }
            }
            sendAnswers()
            await waitForMore(after: batch.count, attachments.waiting.count, of: Self.most, for: .milliseconds(20))
        }
    }

    /// Looks the devices up, compares their secrets, and claims them.
    private func attach(_ batch: [Attachment]) async throws(PostgresShapeError) {
        // Of another server it is as of nobody knows when.
        let asOf = isWhereTheLogIs(own) ? head : 0
        var arguments = PostgresArguments()
        arguments.append(each: batch, text: { $0.token.text })
        arguments.append(each: batch, int8: { StableHash.of($0.token.text) })
        guard case .rows(let rows) = await own.call(PostgresCall(Statements.findDevices, arguments, deadline: options.patience))
        else {
            for attachment in batch { refuse(attachment, .unavailable) }
            return
        }
        var unknown = Set(batch.indices)
        // Of several that want one device the last has it.
        var claims: [UInt32: Claim] = [:]
        for row in 0..<rows.count {
            let index = Int(try rows.present4(row, 0)) - 1
            unknown.remove(index)
            let claim = Claim(device: try FoundDevice(rows, row), attachment: batch[index], asOf: asOf)
            guard claim.device.accepts(claim.attachment) else {
                refuse(claim.attachment, .wrongSecret)
                continue
            }
            guard isFreeHere(claim) else {
                sessions.endClaim(claim.attachment.session)
                continue
            }
            if let earlier = claims.updateValue(claim, forKey: claim.device.ordinal) { refuse(earlier.attachment, .takenOver) }
        }
        for index in unknown { refuse(batch[index], .unknownDevice) }
        if !claims.isEmpty { try await claim(Array(claims.values)) }
    }

    struct Claim {
        let device: FoundDevice
        let attachment: Attachment
        /// How far this node had followed the log before the device was looked up.
        let asOf: UInt64

        var arrival: Arrival { Arrival(device: device, token: attachment.token, asOf: asOf) }
    }

    /// A device that another connection of this node has gives way first.
    private func isFreeHere(_ claim: Claim) -> Bool {
        let ordinal = claim.device.ordinal
        if sessions.isEnding(ordinal) {
            if let earlier = sessions.waitForEnd(of: ordinal, claim.attachment) { refuse(earlier, .takenOver) }
            return false
        }
        guard let current = sessions[ordinal] else { return true }
        if let earlier = sessions.setSuccessor(claim.attachment, of: ordinal) {
            refuse(earlier, .takenOver)
        } else if current.isWantedElsewhere {
            // It is asked to close already; the one of the other node waits in vain.
            sessions.takeBack(ordinal)
            work { node in _ = await node.timely(node.lane, Statements.displace, { node.fill(&$0, [claim]) }) }
        } else {
            postClose(ordinal, current, .takenOver)
        }
        return false
    }

    private func claim(_ claims: [Claim]) async throws(PostgresShapeError) {
        let number = number
        let outcome = await timely(own, Statements.claim) { arguments in
            fill(&arguments, claims)
            // Whoever has a device by a lease of then has not died: it tells first what the device has acknowledged meanwhile.
            arguments.append(int8: awaySince.map { time.now(at: $0) })
        }
        // Of a node that was taken for dead meanwhile no claim counts.
        guard number == self.number, case .rows(let rows) = outcome else {
            // A claim that was made all the same is this node's, and the next of the device finds it free.
            for claim in claims { refuse(claim.attachment, .unavailable) }
            return
        }
        var displaced: [Claim] = []
        // When the first of those that have the devices has no lease any more, if it has died.
        var wait = Self.latest
        var unnamed = Set(claims.indices)
        for row in 0..<rows.count {
            let index = Int(try rows.present4(row, 0)) - 1
            unnamed.remove(index)
            let claim = claims[index]
            switch try rows.present4(row, 1) {
            case 0:
                let closing = sessions.endClaim(claim.attachment.session)
                begin(
                    claim, cursor: try rows.position(row, 2), beyond: try rows.array(row, 3, of: .int8)?.int8s() ?? [],
                    doubtfulTo: UInt64(bitPattern: try rows.int8(row, 4) ?? 0), closing: closing)
            case 1:
                sessions.endClaim(claim.attachment.session)
                displaced.append(claim)
                let left = try rows.int8(row, 5) ?? 0
                wait = min(wait, left > 0 ? .milliseconds(left) + Self.margin : Self.doubt)
            // Changed between the two calls: looked up again.
            default: attach(claim.attachment)
            }
        }
        // It was registered in what another primary did not have.
        for index in unnamed { refuse(claims[index].attachment, .unavailable) }
        if !displaced.isEmpty { try await displace(displaced, atMost: max(wait, Self.soonest)) }
    }

    /// The device is this node's. Its answer waits for the first reading of the log that begins after the claim: what was read
    /// before may have been told to nobody here.
    private func begin(_ claim: Claim, cursor: UInt64, beyond: [Int64], doubtfulTo: UInt64, closing: DisconnectReason?) {
        let ordinal = claim.device.ordinal
        sessions.begin(ordinal, claim.attachment, claim.arrival, doubtfulTo: doubtfulTo)
        facts.begin(ordinal, beyond: beyond.map { UInt64(bitPattern: $0) })
        online.begin(ordinal, in: claim.device.membership.organisation.index)
        let reading = AwaitedReading(
            last: readingsBegun,
            goOn: { [self] in
                // Another one has asked for the device before this one heard that it had it.
                guard sessions[ordinal]?.id == claim.attachment.session else { return refuse(claim.attachment, .takenOver) }
                let attached = Attached(
                    device: DeviceHandle(ordinal: ordinal), settledUpTo: Position(raw: cursor),
                    settledBeyond: beyond.map { Position(raw: UInt64(bitPattern: $0)) }, feedFrom: Position(raw: head))
                let answer = claim.attachment.answer
                outbox.answer(claim.attachment.loop) { answer(.success(attached)) }
                sendAnswers()
                // Behind the answer: the loop knows the connection by then.
                if let closing { close(ordinal, claim.attachment.session, closing) }
            },
            giveUp: { [self] in
                refuse(claim.attachment, .unavailable)
                detach(Detachment(ordinal: ordinal, session: claim.attachment.session, settledUpTo: cursor))
            })
        if isClosing { return reading.giveUp() }
        readings.append(reading)
        bell.ring()
    }

    /// Has a connection of this node's closed.
    func close(_ ordinal: UInt32, _ id: SessionID, _ reason: DisconnectReason) {
        guard let session = sessions[ordinal], session.id == id else { return endUnknown(ordinal, id) }
        if reason == .takenOver, let earlier = sessions.giveAway(ordinal) { refuse(earlier, .takenOver) }
        postClose(ordinal, session, reason)
        sendAnswers()
    }

    /// Tells the loop to end a connection. Whether its device is still registered, its page is to ask the database.
    func postClose(_ ordinal: UInt32, _ session: NodeSessions.Session, _ reason: DisconnectReason) {
        _ = sessions.takeArrival(ordinal)
        outbox.post(.close(DeviceHandle(ordinal: ordinal), session: session.id, reason), to: session.loop)
    }

    private func fill(_ arguments: inout PostgresArguments, _ claims: [Claim]) {
        arguments.append(int4: number)
        arguments.append(each: claims, int8: { Int64($0.device.ordinal) })
        arguments.append(each: claims, int8: { Int64(bitPattern: $0.attachment.session.raw) })
        arguments.append(each: claims, int4: { $0.device.version })
    }

    /// What a lease is over by, when it is looked for.
    private static let margin = Duration.milliseconds(20)

    /// - Parameter wait: after so long they are asked for again: a node that has died lets nothing go, and when its lease is over
    ///   the devices are free.
    private func displace(_ claims: [Claim], atMost wait: Duration) async throws(PostgresShapeError) {
        // Before it is sent: the other node may be quicker than the answer.
        for claim in claims {
            if let earlier = sessions.wait(claim.attachment, for: claim.device.ordinal) { refuse(earlier, .takenOver) }
        }
        guard case .rows(let rows) = await timely(lane, Statements.displace, { fill(&$0, claims) }) else {
            for claim in claims {
                if let waiting = sessions.takeWaiting(for: claim.device.ordinal, claim.attachment.session) {
                    refuse(waiting, .unavailable)
                }
            }
            return
        }
        for row in 0..<rows.count where try rows.present4(row, 1) != 0 {
            let claim = claims[Int(try rows.present4(row, 0)) - 1]
            if let waiting = sessions.takeWaiting(for: claim.device.ordinal, claim.attachment.session) { attach(waiting) }
        }
        work { node in
            await Bell(on: node.loop).wait(atMost: wait)
            for claim in claims {
                if let waiting = node.sessions.takeWaiting(for: claim.device.ordinal, claim.attachment.session) {
                    node.attach(waiting)
                }
            }
        }
    }

    /// A device for which a connection waited is its, or was taken over by a later one.
    func settleWaiting(_ ordinal: UInt32, _ entry: LogEntry) {
        guard let waiting = sessions.takeWaiting(for: ordinal, entry.session) else {
            if entry.kind == .granted { endUnknown(ordinal, entry.session) }
            return
        }
        if entry.kind == .refused { return refuse(waiting, .takenOver) }
        // The row is this node's by now: how far the device is, is read with the claim.
        attach(waiting)
    }

    func refuse(_ attachment: Attachment, _ error: AttachError) {
        sessions.endClaim(attachment.session)
        outbox.answer(attachment.loop, { attachment.answer(.failure(error)) })
        sendAnswers()
    }

    // MARK: The end of a connection

    func detach(_ detachment: Detachment) {
        guard let current = sessions[detachment.ordinal], current.id == detachment.session else { return }
        var detachment = detachment
        sessions.end(detachment.ordinal)
        detachment.beyond = facts.end(detachment.ordinal)
        online.end(detachment.ordinal)
        tell(.none, of: detachment.session)
        if detachments.add(detachment) { work { await $0.detachAll() } }
    }

    /// A connection that the database has for this node's, and that is nobody's here.
    func endUnknown(_ ordinal: UInt32, _ session: SessionID) {
        guard !sessions.has(ordinal, session), !sessions.isClaiming(session) else { return }
        let detachment = Detachment(ordinal: ordinal, session: session, settledUpTo: 0)
        if detachments.add(detachment) { work { await $0.detachAll() } }
    }

    private func detachAll() async {
        // What was acknowledged last is written before the device is anybody else's.
        while true {
            let batch = detachments.next(atMost: Self.most)
            if batch.isEmpty { return }
            guard await writeFacts(), let left = await end(batch) else {
                await tryAgain(batch)
                continue
            }
            let waited = batch.filter { left.contains($0.ordinal) }
            var ended = batch
            if !waited.isEmpty, await !handOver(waited) {
                ended.removeAll { left.contains($0.ordinal) }
                await tryAgain(waited)
            }
            for detachment in ended {
                if let waiting = sessions.hasEnded(detachment.ordinal, detachment.session) { attach(waiting) }
            }
        }
    }

    /// What could not be written is written later: until then the device is nobody else's.
    private func tryAgain(_ batch: [Detachment]) async {
        for detachment in batch {
            if let waiting = sessions.stopWaiting(for: detachment.ordinal) { refuse(waiting, .unavailable) }
            if !isClosing { _ = detachments.add(detachment) }
        }
        if !isClosing { await bell.wait(atMost: options.rest) }
    }

    /// - Returns: those for which another node's connection waits; `nil`: nobody knows whether it is done.
    private func end(_ batch: [Detachment]) async -> Set<UInt32>? {
        var arguments = PostgresArguments()
        fill(&arguments, batch)
        guard case .rows(let rows) = await own.call(PostgresCall(Statements.detach, arguments, deadline: options.patience)) else {
            return nil
        }
        return Set((0..<rows.count).compactMap { row in (try? rows.int8(row, 0)).map { UInt32(truncatingIfNeeded: $0) } })
    }

    private func handOver(_ batch: [Detachment]) async -> Bool {
        if case .rows = await timely(lane, Statements.handOver, { fill(&$0, batch) }) { true } else { false }
    }

    private func fill(_ arguments: inout PostgresArguments, _ batch: [Detachment]) {
        arguments.append(int4: number)
        arguments.append(each: batch, int8: { Int64($0.ordinal) })
        arguments.append(each: batch, int8: { Int64(bitPattern: $0.session.raw) })
        arguments.append(each: batch, int8: { Int64(bitPattern: $0.settledUpTo) })
        let beyond = batch.flatMap { detachment in detachment.beyond.map { (detachment.ordinal, $0) } }
        arguments.append(each: beyond, int8: { Int64($0.0) })
        arguments.append(each: beyond, int8: { Int64(bitPattern: $0.1) })
    }
}
