internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// A node's end.

extension StoreNode {
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
        giveReadingsUp { _ in true }
        inquiries.removeAll()
        let bells = [
            bell, factsBell, appliedBell, leaseBell, renewedBell, readyBell, writtenBell, cursorBell, jobBell, watchBell,
            inquiryBell, onlineBell, recordedBell, importBell, importEndBell, sharingBell,
        ]
        for bell in bells { bell.ring() }
        sendAnswers()
        if leaving, isReachable, number != 0 { await leave() }
        await withDiscardingTaskGroup { group in
            for connection in connections {
                group.addTask { await connection.close(patience: Self.lastPatience) }
            }
        }
        sendAnswers()
        guard leaving, !facts.isEmpty else { return true }
        options.log("what devices have acknowledged last could not be written: they get those messages again")
        return false
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
