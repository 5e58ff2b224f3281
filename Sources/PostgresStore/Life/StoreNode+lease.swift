internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// The lease: it is renewed three times in its length, and where it had lapsed the node catches up before it delivers again.

extension StoreNode {
    /// How long a node may deliver after it has renewed its lease, in microseconds: less than the lease has (`lease_length`) by
    /// what clocks may differ by, so that nobody takes a node for dead that still delivers.
    static let leaseLength: Int64 = 3_000_000
    /// How often the lease is renewed: three times in its length.
    private static let renewal = Duration.seconds(1)

    /// Renews the lease until the store is closed.
    func renew() async {
        while !isClosing {
            await leaseBell.wait(atMost: Self.renewal)
            if isClosing { return }
            giveReadingsUp { $0.since + options.patience < .now }
            if !holdsRenewals, number != 0 { await renewNow() }
            work { await $0.examineDatabase() }
            work { await $0.watchLane() }
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
            await tellUnreachable(outcome)
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
        figures.renewed(behind: followed > applied ? followed - applied : 0, by: own.state.session?.host)
        if returning == nil, lease.term() != nil {
            lease.extend(to: end)
            return serve()
        }
        // It had lapsed: others may have gone on without this node.
        // Until all is read this is said again, and the first time told since when.
        absence = Absence(from: renewedAt, to: options.boot(), after: absence, isSame: returning != nil)
        returning = .max
        cannotServe(BilingualText("本节点正在补读其他节点所做的", "this node reads what the others have done without it"))
        guard try await closeStrangers() else { return }
        returning = followed
        bell.ring()
    }

    /// Since when others may have been kept from renewing their leases, as this node was; `nil`: they were not.
    var awaySince: Int64? {
        let boot = options.boot()
        // It was let in before the lease ended, and there was no renewal since.
        if lease.term() == nil, returning == nil {
            return Absence(from: renewedAt, to: boot, after: absence, isSame: false).from
        }
        return absence.flatMap { $0.isRecent(at: boot) ? $0.from : nil }
    }

    /// The lease holds. That was asked over another connection than changes are: where those find no session yet, they are
    /// refused, and whoever asks whether this node is ready is told so.
    private func serve() {
        if let lack { return cannotServe(lack.words, remedy: lack.remedy) }
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
            for (ordinal, session) in chunk { postClose(ordinal, session, .takenOver) }
        }
        for attachment in sessions.removeAllWaiting() { refuse(attachment, .unavailable) }
        sessions = NodeSessions()
        online = OnlineCounts()
        sendAnswers()
        work { _ = await $0.join() }
    }

    /// Closes connections that the database has no longer for theirs: given away while the lease had lapsed, or by whatever else.
    /// - Returns: whether all are found; otherwise they are looked for again, and no term begins before.
    func closeStrangers() async throws(PostgresShapeError) -> Bool {
        for chunk in sessions.chunks(of: 1_000) {
            var arguments = PostgresArguments()
            arguments.append(int4: number)
            arguments.append(each: chunk, int8: { Int64($0.ordinal) })
            arguments.append(each: chunk, int8: { Int64(bitPattern: $0.session.id.raw) })
            guard case .rows(let rows) = await own.call(PostgresCall(Statements.strangers, arguments)) else {
                return false
            }
            let asked = Dictionary(uniqueKeysWithValues: chunk.map { ($0.ordinal, $0.session.id) })
            for row in 0..<rows.count {
                let ordinal = UInt32(truncatingIfNeeded: try rows.present8(row, 0))
                guard let session = sessions[ordinal], session.id == asked[ordinal] else { continue }
                postClose(ordinal, session, .takenOver)
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
}
