internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// A node's life: it joins, follows the log, renews its lease, and leaves.

extension StoreNode {
    /// Begins: the node looks for the database until it has it. Returns at once.
    func begin() {
        for connection in connections { connection.open() }
        work { await $0.shareSessions() }
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
    func join() async -> Bool {
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
        // With fewer sessions it would be of no use to anybody, and have its name.
        if let missing = connections.first(where: { $0.state.session == nil }) {
            await tellUnreachable(.unavailable(.notReady(missing.state.loss)))
            return false
        }
        guard await fitsSchema() else { return false }
        var arguments = PostgresArguments()
        arguments.append(text: options.node.text)
        arguments.append(text: options.version)
        arguments.append(int8: shiftAtJoin)
        let (asked, askedOfLease) = (options.boot(), BootClock.microseconds)
        let server = lane.state.session?.host
        let outcome = await lane.call(PostgresCall(Statements.join, arguments, deadline: options.patience))
        guard case .rows(let rows) = outcome else {
            await tellUnreachable(outcome)
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
            let head = try rows.position(0, 3)
            while try await !readDirectory(reaching: head) {
                if isClosing { return false }
                await bell.wait(atMost: options.rest)
            }
            (applied, number) = (self.head, given)
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
    static let silenceOfTheDead = Duration.milliseconds(2_500)

    /// Reads the directory as it is now, and goes on with the log behind it. Where operators are newer than the rest, the log
    /// tells of them once more.
    /// - Parameter needed: what it must not lack: a server that was superseded may answer who only reads.
    func readDirectory(reaching needed: UInt64) async throws(PostgresShapeError) -> Bool {
        let call = PostgresCall(Statements.snapshot, deadline: .seconds(30), mostBytes: 256 << 20)
        guard case .rows(let snapshot) = await tail.call(call) else { return false }
        var (all, each) = (PostgresArguments(), PostgresArguments())
        all.append(int8Array: [])
        each.append(byteaArray: [])
        let before = head
        guard case .rows(let operators) = await tail.call(PostgresCall(Statements.operators, all)),
            case .rows(let sessions) = await tail.call(PostgresCall(Statements.operatorSessions, each, mostRows: 100_000))
        else { return false }
        let position = try snapshot.position(0, 0)
        // Nor what was read of the log meanwhile.
        guard position >= needed, head == before || head <= position else { return false }
        directory = try DirectoryState(snapshot)
        directory.operators = try OperatorBook(operators, sessions: sessions)
        head = max(head, position)
        lastMembership = head
        return true
    }

    func sample(_ rows: PostgresRows, asked: Int64) throws(PostgresShapeError) -> NodeTime.Sample {
        NodeTime.Sample(
            now: try rows.present8(0, 1), shift: try rows.present8(0, 4), asked: asked, answered: options.boot())
    }

    var nameIsTaken: BilingualText {
        BilingualText(
            "另一个名为 \(options.node) 的节点正在运行，或不久前没有正常结束：本节点等待其结束或租约到期",
            "another node of the name \(options.node) lives, or has ended a moment ago without leaving: this one waits until it "
                + "has ended or its lease is over")
    }

    /// Where it is not about to end.
    static let otherName = BilingualText("若两者都要运行，请为本节点另取 --node", "if both are to run, give this one another --node")

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

    /// A line of what may happen with each of many calls; of each of the database's faults by itself.
    func tellSeldom(_ what: StaticString, of state: SQLState? = nil, _ detail: @autoclosure () -> String) {
        if let leftOut = seldom.leftOut(of: ExactText("\(what) \(state?.description ?? "")"), at: .now) {
            options.log("\(what): \(detail())" + (leftOut > 0 ? " (and \(leftOut) times more since the last such line)" : ""))
        }
    }

    func tellUnreachable(_ outcome: PostgresOutcome) async {
        // At first nobody has been asked yet.
        if case .unavailable(.notReady(nil)) = outcome { return }
        if await waitsForStandby() { missedStandby = .now }
        guard !isClosing else { return }
        // A session that has waited in vain is ended, and another one has not waited yet.
        if let missed = missedStandby, .now < missed + Self.standbyIsMissed, reads.state.mayBeReached {
            return cannotServe(Self.noStandby, remedy: Self.anyStandby)
        }
        figures.health = .unreachable(reason: outcome.words, remedy: outcome.remedy)
        tellOnce("the database cannot be used: \(outcome.wordsWithRemedy.english)")
    }
}
