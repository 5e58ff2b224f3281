internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// A node's life: it joins, follows the log, renews its lease, and leaves.

extension StoreNode {
    /// How long a node may deliver after it has renewed its lease, in microseconds: less than the lease has (`lease_length`) by
    /// what clocks may differ by, so that nobody takes a node for dead that still delivers.
    private static let leaseLength: Int64 = 3_000_000
    /// How often the lease is renewed: three times in its length.
    private static let renewal = Duration.seconds(1)

    /// Begins: the node looks for the database until it has it. Returns at once.
    func begin() {
        for connection in [lane, own, tail, reads] { connection.open() }
        work { node in
            guard await node.join() else { return }
            node.work { await $0.renew() }
            node.work { await $0.moveCursors() }
            node.work { await $0.watchJobs() }
            node.work { await $0.tellOnline() }
            node.work { await $0.administer() }
            await node.follow()
        }
    }

    /// Until the node has a number and knows the directory. One attempt at a time.
    private func join() async -> Bool {
        guard !isJoining else { return false }
        isJoining = true
        defer { isJoining = false }
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
        guard await fitsSchema() else { return false }
        var arguments = PostgresArguments()
        arguments.append(text: options.node.text)
        arguments.append(text: options.version)
        arguments.append(int8: shiftAtJoin)
        let (asked, askedOfLease) = (options.boot(), BootClock.microseconds)
        let server = lane.state.session?.host
        let outcome = await lane.call(PostgresCall(Statements.join, arguments, deadline: options.patience))
        guard case .rows(let rows) = outcome else {
            tellUnreachable(outcome)
            if outcome.isOfNoUse { leave(server) }
            return false
        }
        do throws(PostgresShapeError) {
            guard try rows.bool(0, 5) ?? true else {
                // Of nodes that seem to have died none says otherwise by then, as one would whose clock is right.
                shiftAtJoin = try rows.int8(0, 4)
                await Bell(on: loop).wait(atMost: Self.silenceOfTheDead)
                return false
            }
            shiftAtJoin = nil
            guard let given = try rows.int4(0, 0) else {
                cannotServe(nameIsTaken, remedy: Self.otherName)
                return false
            }
            time.begin(try sample(rows, asked: asked))
            // The name is this process's by now.
            while try await !readDirectory() {
                if isClosing { return false }
                await bell.wait(atMost: options.rest)
            }
            (applied, number) = (head, given)
            clock.goForward(toBase: time.clockBase)
            lease.beginTerm(until: askedOfLease + Self.leaseLength)
            (leaseEnd, returning) = (askedOfLease + Self.leaseLength, nil)
            (renewedAt, absence) = (asked, nil)
            figures.health = .serving
            lastLine = ""
            // Loops that have come before know nothing yet.
            outbox.leaveGap {}
            sendAnswers()
            return true
        } catch {
            options.log("the directory cannot be read: \(error)")
            return false
        }
    }

    /// After so long every node that lives has renewed its lease, and made up for a clock that was set.
    private static let silenceOfTheDead = Duration.milliseconds(2_500)

    /// Reads the directory as it is now, and goes on with the log behind it. Where operators are newer than the rest, the log
    /// tells of them once more.
    func readDirectory() async throws(PostgresShapeError) -> Bool {
        let call = PostgresCall(Statements.snapshot, deadline: .seconds(30), mostBytes: 256 << 20)
        guard case .rows(let snapshot) = await tail.call(call) else { return false }
        var (all, each) = (PostgresArguments(), PostgresArguments())
        all.append(int8Array: [])
        each.append(byteaArray: [])
        guard case .rows(let operators) = await tail.call(PostgresCall(Statements.operators, all)),
            case .rows(let sessions) = await tail.call(PostgresCall(Statements.operatorSessions, each, mostRows: 100_000))
        else { return false }
        directory = try DirectoryState(snapshot)
        directory.operators = try OperatorBook(operators, sessions: sessions)
        head = max(head, try snapshot.position(0, 0))
        return true
    }

    private func sample(_ rows: PostgresRows, asked: Int64) throws(PostgresShapeError) -> NodeTime.Sample {
        NodeTime.Sample(
            now: try rows.present8(0, 1), shift: try rows.present8(0, 4), asked: asked, answered: options.boot())
    }

    private var nameIsTaken: BilingualText {
        BilingualText(
            "另一个名为 \(options.node) 的节点正在运行：本节点等待其结束",
            "another node of the name \(options.node) lives: this one waits until it has ended")
    }

    /// Where it is not about to end.
    private static let otherName = BilingualText("若两者都要运行，请为本节点另取 --node", "if both are to run, give this one another --node")

    /// Until that is over this node is of no use to anybody.
    /// - Parameter remedy: what somebody has to do about it; `nil`: it passes.
    func cannotServe(_ reason: BilingualText, remedy: BilingualText? = nil) {
        figures.health = .unreachable(reason: reason, remedy: remedy)
        tellOnce(reason.english + (remedy.map { ": \($0.english)" } ?? ""))
    }

    /// A line of what lasts: once, until there is something else to say.
    func tellOnce(_ line: String) {
        if line != lastLine { options.log(line) }
        lastLine = line
    }

    /// The server answers and commits nothing. It may wait for its standbys, as all do then; or it was superseded, and another
    /// one of the hosts is the primary.
    private func leave(_ server: String?) {
        guard let server, options.database.address.namesSeveralHosts else { return }
        for connection in [lane, own, tail, reads] { connection.leave(server) }
    }

    /// All connections are to one server, the one by which the lease was renewed: a primary that was superseded may still answer
    /// those that only read.
    private func keepTogether() {
        guard let server = own.state.session?.host else { return }
        for connection in [lane, tail, reads] {
            if let other = connection.state.session?.host, other != server { connection.leave(other) }
        }
    }

    func tellUnreachable(_ outcome: PostgresOutcome) {
        guard !isClosing else { return }
        // At first nobody has been asked yet.
        if case .unavailable(.notReady(nil)) = outcome { return }
        figures.health = .unreachable(reason: outcome.words)
        tellOnce("the database cannot be used: \(outcome.reason)")
    }

    // MARK: The lease

    /// Renews the lease until the store is closed.
    private func renew() async {
        while !isClosing {
            await leaseBell.wait(atMost: Self.renewal)
            if isClosing { return }
            if !holdsRenewals, number != 0 { await renewNow() }
            await compareFunctions()
        }
    }

    /// Renews the lease; who comes while that is on its way waits for it.
    func renewNow() async {
        if isRenewing {
            while isRenewing, !isClosing { await renewedBell.wait(atMost: options.pause) }
            return
        }
        isRenewing = true
        // Where the clock was set, that is made up for first.
        for _ in 0..<3 { if await renewOnce() { break } }
        isRenewing = false
        renewedBell.ring()
    }

    /// - Returns: whether there is nothing more to do now.
    private func renewOnce() async -> Bool {
        let number = number
        guard number != 0 else { return true }
        let (asked, askedOfLease) = (options.boot(), BootClock.microseconds)
        var arguments = PostgresArguments()
        arguments.append(int4: number)
        arguments.append(int8: time.now(at: asked))
        arguments.append(int8: Int64(bitPattern: applied))
        arguments.append(int4: Int32(clamping: sessions.count))
        arguments.append(bool: isDraining)
        let server = own.state.session?.host
        let outcome = await own.call(PostgresCall(Statements.renew, arguments, deadline: Self.renewal))
        guard !isClosing, number == self.number else { return true }
        guard case .rows(let rows) = outcome else {
            // While the lease holds, a renewal that is late is no reason to refuse anybody.
            guard lease.term() == nil else { return true }
            tellUnreachable(outcome)
            if outcome.isOfNoUse { leave(server) }
            return true
        }
        do throws(PostgresShapeError) {
            switch time.learn(try sample(rows, asked: asked)) {
            case .agrees: clock.goForward(toBase: time.clockBase)
            case .follows: return false
            case .wasSet(let shift): return await followClock(from: try rows.present8(0, 4), to: shift)
            case .uncertain: break
            }
            switch try rows.present4(0, 0) {
            case 0:
                try await leaseIsRenewed(until: askedOfLease + Self.leaseLength, head: try rows.position(0, 3))
                renewedAt = asked
                keepTogether()
            case 1:
                guard lease.term() == nil else { break }
                cannotServe(BilingualText("各循环尚未跟上日志", "the loops have not followed the log yet"))
            case 2: rejoin()
            default: return false
            }
        } catch {
            options.log("the lease cannot be renewed: \(error)")
        }
        return true
    }

    /// The database's clock was set: store time goes on as if it had not been.
    /// - Returns: whether there is nothing more to do now.
    private func followClock(from shift: Int64, to new: Int64) async -> Bool {
        guard let first = await callToFollow(from: shift, to: new, seen: nil) else { return true }
        var isFollowed = first.isFollowed
        if !isFollowed {
            // Others have leases by this clock: whether they live shows by then.
            await Bell(on: loop).wait(atMost: Self.silenceOfTheDead)
            guard let second = await callToFollow(from: shift, to: new, seen: first.seen) else { return true }
            isFollowed = second.isFollowed
        }
        if isFollowed {
            options.log("the database's clock was set by \(shift - new) ms: store time goes on as if it had not been")
        } else {
            options.log("this node's clock was wrong by \(shift - new) ms: it takes the other nodes' time")
            time = NodeTime()
        }
        return false
    }

    private func callToFollow(from shift: Int64, to new: Int64, seen: Int64?) async -> (isFollowed: Bool, seen: Int64?)? {
        var arguments = PostgresArguments()
        arguments.append(int4: number)
        arguments.append(int8: shift)
        arguments.append(int8: new)
        arguments.append(int8: seen)
        let call = PostgresCall(Statements.followClock, arguments, deadline: Self.renewal)
        guard case .rows(let rows) = await lane.call(call), let isFollowed = (try? rows.bool(0, 0)) ?? nil else { return nil }
        return (isFollowed, (try? rows.int8(0, 1)) ?? nil)
    }

    private func leaseIsRenewed(until end: Int64, head followed: UInt64) async throws(PostgresShapeError) {
        leaseEnd = end
        figures.renewed(behind: followed > applied ? followed - applied : 0)
        if returning == nil, lease.term() != nil {
            lease.extend(to: end)
            return serve()
        }
        // It had lapsed: others may have gone on without this node.
        // Until all is read this is said again, and the first time told since when.
        absence = Absence(from: returning == nil ? renewedAt : absence?.from ?? renewedAt, to: options.boot())
        returning = .max
        cannotServe(BilingualText("本节点正在补读其他节点所做的", "this node reads what the others have done without it"))
        guard try await closeStrangers() else { return }
        returning = followed
        bell.ring()
    }

    /// The lease holds. That was asked over another connection than changes are: where those find no session yet, they are
    /// refused, and whoever asks whether this node is ready is told so.
    private func serve() {
        switch lane.state {
        case .ready: (figures.health, lastLine) = (.serving, "")
        case .lost(let loss): cannotServe(loss.words)
        case .connecting, .closed: cannotServe(BilingualText("更改所用的连接尚未建立", "changes have no session with the database yet"))
        }
    }

    /// This process was taken for dead, and another has its name: its devices are others', and it comes as a new one when that
    /// one has ended.
    private func rejoin() {
        tellOnce("this node was taken for dead, and another process has its name: it waits until that one has ended")
        figures.health = .unreachable(reason: nameIsTaken, remedy: Self.otherName)
        lease.extend(to: 0)
        (number, returning) = (0, nil)
        for chunk in sessions.chunks(of: .max) {
            for (ordinal, session) in chunk {
                outbox.post(.close(DeviceHandle(ordinal: ordinal), session: session.id, .takenOver), to: session.loop)
            }
        }
        for attachment in sessions.removeAllWaiting() { refuse(attachment, .unavailable) }
        sessions = NodeSessions()
        online = OnlineCounts()
        sendAnswers()
        work { _ = await $0.join() }
    }

    /// Closes connections whose devices were given away while the lease had lapsed.
    /// - Returns: whether all are found; otherwise the next renewal looks again, and the term does not begin.
    func closeStrangers() async throws(PostgresShapeError) -> Bool {
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
        guard let needed = returning, head >= needed, BootClock.microseconds < leaseEnd else { return }
        returning = nil
        serve()
        lease.beginTerm(until: leaseEnd)
        outbox.leaveGap {}
        sendAnswers()
    }

    // MARK: The end

    /// Writes what was acknowledged, leaves, and answers what waits. Within a second: what the database does not answer by then
    /// is given up.
    /// - Parameter leaving: without it the others have to find out by themselves, as of a process that was killed.
    /// - Returns: whether everything that it was told is kept.
    func end(leaving: Bool) async -> Bool {
        if isClosing { return true }
        let isReachable = own.state.session != nil
        isClosing = true
        figures.health = .unreachable(reason: BilingualText("存储已关闭", "the store is closed"))
        for push in pushes.removeAll() { outbox.answer(push.loop, { push.answer(.unavailable(retryAfter: retryAfter)) }) }
        for attachment in attachments.removeAll() + sessions.removeAllWaiting() { refuse(attachment, .unavailable) }
        inquiries.removeAll()
        let bells = [
            bell, factsBell, appliedBell, leaseBell, renewedBell, readyBell, writtenBell, cursorBell, jobBell, watchBell,
            inquiryBell, onlineBell, recordedBell, importBell, importEndBell,
        ]
        for bell in bells { bell.ring() }
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
            await node.tellLeftOut(atOnce: true)
            // They are told how far their imports are.
            while node.importWaiters > 0 { await Bell(on: node.loop).wait(atMost: node.options.pause) }
            var arguments = PostgresArguments()
            arguments.append(int4: node.number)
            _ = await node.own.call(PostgresCall(Statements.leave, arguments, deadline: Self.lastPatience))
            isOver.ring()
        }
        await isOver.wait(atMost: Self.lastPatience)
    }
}

extension PostgresOutcome {
    /// The server took the call and did not commit it in time. One that is only late may be so behind others.
    fileprivate var isOfNoUse: Bool {
        switch self {
        case .unknown(.warned), .unknown(.lost(.unresponsive)): true
        default: false
        }
    }
}
