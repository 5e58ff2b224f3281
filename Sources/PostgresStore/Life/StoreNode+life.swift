internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// A node's life: it joins, follows the log, renews its lease, and leaves.

extension StoreNode {
    /// How long a lease is, in microseconds: what `lease_length` says.
    private static let leaseLength: Int64 = 5_000_000
    /// How often the lease is renewed: three times in its length.
    private static let renewal = Duration.milliseconds(1_500)

    /// Begins: the node looks for the database until it has it. Returns at once.
    func begin() {
        for connection in [lane, own, tail, reads] { connection.open() }
        work { node in
            guard await node.join() else { return }
            node.work { await $0.renew() }
            node.work { await $0.moveCursors() }
            await node.follow()
        }
    }

    /// Until the node has a number and knows the directory.
    private func join() async -> Bool {
        while !isClosing {
            if await tryToJoin() {
                readyBell.ring()
                return true
            }
            await bell.wait(atMost: options.rest)
        }
        return false
    }

    private func tryToJoin() async -> Bool {
        var arguments = PostgresArguments()
        arguments.append(text: options.node)
        arguments.append(text: options.version)
        let asked = BootClock.microseconds
        guard case .rows(let rows) = await lane.call(PostgresCall(Statements.join, arguments, deadline: options.patience)) else {
            return false
        }
        do throws(PostgresShapeError) {
            guard let given = try rows.int4(0, 0) else {
                tellOnce("another node of the name \(options.node) lives: this one waits until it has ended")
                return false
            }
            setTime(try rows.present8(0, 1), at: asked)
            let call = PostgresCall(Statements.snapshot, deadline: .seconds(30), mostBytes: 256 << 20)
            guard case .rows(let snapshot) = await tail.call(call) else { return false }
            directory = try DirectoryState(snapshot)
            head = try snapshot.position(0, 0)
            applied = head
            renewedAt = asked
            number = given
            lease.beginTerm(until: asked + Self.leaseLength)
            figures.health = .serving
            // Loops that have come before know nothing yet.
            outbox.leaveGap {}
            sendAnswers()
            return true
        } catch {
            options.log("the directory cannot be read: \(error)")
            return false
        }
    }

    /// A line of what lasts: once, until there is something else to say.
    private func tellOnce(_ line: String) {
        if line != lastLine { options.log(line) }
        lastLine = line
    }

    /// Store time was that when the database was asked.
    private func setTime(_ now: Int64, at asked: Int64) { clock.goForward(toBase: now * 1_000 - asked) }

    /// Renews the lease until the store is closed.
    private func renew() async {
        while !isClosing {
            await leaseBell.wait(atMost: Self.renewal)
            if isClosing { return }
            if !holdsRenewals { await renewOnce() }
        }
    }

    func renewOnce() async {
        let asked = BootClock.microseconds
        var arguments = PostgresArguments()
        arguments.append(int4: number)
        arguments.append(int8: (asked - renewedAt) / 1_000)
        arguments.append(int8: Int64(bitPattern: applied))
        let outcome = await own.call(PostgresCall(Statements.renew, arguments, deadline: Self.renewal))
        guard !isClosing else { return }
        guard case .rows(let rows) = outcome else {
            figures.health = .unreachable(reason: "\(outcome)")
            return
        }
        do throws(PostgresShapeError) {
            guard try rows.bool(0, 0) ?? false else {
                return tellOnce(
                    "the lease is not renewed: the loops have not followed the log, or another process has this node's name")
            }
            setTime(try rows.present8(0, 1), at: asked)
            renewedAt = asked
            figures.health = .serving
            if returning == nil, lease.term() != nil { return lease.extend(to: asked + Self.leaseLength) }
            // It had lapsed: others may have gone on without this node.
            returning = .max
            let followed = try rows.position(0, 3)
            guard try await closeStrangers() else { return }
            returning = followed
            bell.ring()
        } catch {
            options.log("the lease cannot be renewed: \(error)")
        }
    }

    /// Closes connections whose devices were given away while the lease had lapsed.
    /// - Returns: whether all are found; otherwise the next renewal looks again, and the term does not begin.
    private func closeStrangers() async throws(PostgresShapeError) -> Bool {
        for chunk in sessions.chunks(of: 1_000) {
            var arguments = PostgresArguments()
            arguments.append(int4: number)
            arguments.append(each: chunk, int8: { Int64($0.ordinal) })
            arguments.append(each: chunk, int8: { Int64(bitPattern: $0.session.id.raw) })
            guard case .rows(let rows) = await own.call(PostgresCall(Statements.strangers, arguments)) else {
                return false
            }
            for row in 0..<rows.count {
                let ordinal = UInt32(truncatingIfNeeded: try rows.present8(row, 0))
                guard let session = sessions[ordinal] else { continue }
                outbox.post(.close(DeviceHandle(ordinal: ordinal), session: session.id, .takenOver), to: session.loop)
            }
        }
        sendAnswers()
        return true
    }

    /// Where the lease had lapsed: when everything is read that the others have done without this node, the next term begins, and
    /// the loops are told to read what they may have missed.
    func beginTermIfFollowed() {
        guard let needed = returning, head >= needed, BootClock.microseconds < renewedAt + Self.leaseLength else { return }
        returning = nil
        lease.beginTerm(until: renewedAt + Self.leaseLength)
        outbox.leaveGap {}
        sendAnswers()
    }

    // MARK: The end

    /// Writes what was acknowledged, leaves, and answers what waits. Within a second: what the database does not answer by then is
    /// given up.
    /// - Parameter leaving: without it the others have to find out by themselves, as of a process that was killed.
    /// - Returns: whether everything that it was told is kept.
    func end(leaving: Bool) async -> Bool {
        if isClosing { return true }
        let isReachable = figures.health == .serving
        isClosing = true
        figures.health = .unreachable(reason: "the store is closed")
        for push in pushes.removeAll() { outbox.answer(push.loop, { push.answer(.unavailable(retryAfter: retryAfter)) }) }
        for attachment in attachments.removeAll() { refuse(attachment, .unavailable) }
        for bell in [bell, factsBell, appliedBell, leaseBell, readyBell, writtenBell, cursorBell] { bell.ring() }
        sendAnswers()
        if leaving, isReachable, number != 0 { await leave() }
        await withDiscardingTaskGroup { group in
            for connection in [lane, own, tail, reads] {
                group.addTask { await connection.close(patience: Self.lastPatience) }
            }
        }
        sendAnswers()
        return !leaving || facts.isEmpty
    }

    /// How long a step of the end may take.
    private static let lastPatience = Duration.milliseconds(300)

    /// Writes what was acknowledged, and tells the others that nobody has to wait for this node any more.
    private func leave() async {
        let isOver = Bell(on: loop)
        work { node in
            while !node.detachments.isIdle { await Bell(on: node.loop).wait(atMost: node.options.pause) }
            await node.writeFacts()
            var arguments = PostgresArguments()
            arguments.append(int4: node.number)
            _ = await node.own.call(PostgresCall(Statements.leave, arguments, deadline: Self.lastPatience))
            isOver.ring()
        }
        await isOver.wait(atMost: Self.lastPatience)
    }
}
