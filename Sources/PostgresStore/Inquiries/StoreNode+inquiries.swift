internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// What a device's connection has not acknowledged, and its end: asked of its loop, at whichever node it is. Nodes do not ask each
// other: the question is an entry of the log, and the answer a row that is looked for.

extension StoreNode {
    /// How seldom an answer is looked for that lets itself be waited for.
    private static let longestPause = Duration.milliseconds(50)

    /// - Returns: nothing unacknowledged where there is no connection; `nil` where its loop did not tell in time.
    func inquire(about found: DeviceRow, patience: Duration) async throws(StoreError) -> Unacknowledged? {
        guard let connection = found.connection else { return Unacknowledged.none }
        if connection.node == number { return await askHere(found.ordinal, connection.session, patience) }
        return try await askElsewhere(found.ordinal, patience)
    }

    private func askHere(_ ordinal: UInt32, _ id: SessionID, _ patience: Duration) async -> Unacknowledged? {
        guard let session = sessions[ordinal], session.id == id else { return Unacknowledged.none }
        let waiter = NodeInquiries.Waiter(Bell(on: loop))
        inquiries.add(waiter, about: id)
        outbox.post(.inquiry(DeviceHandle(ordinal: ordinal), session: id), to: session.loop)
        sendAnswers()
        await waiter.bell.wait(atMost: patience)
        inquiries.remove(waiter, about: id)
        return waiter.told
    }

    private func askElsewhere(_ ordinal: UInt32, _ patience: Duration) async throws(StoreError) -> Unacknowledged? {
        let end = ContinuousClock.now + patience
        let rows = try result(await timely(lane, Statements.inquire, { $0.append(int8: Int64(ordinal)) }))
        guard let inquiry = try decoded({ () throws(PostgresShapeError) in try rows.int8(0, 0) }) else {
            return Unacknowledged.none
        }
        bell.ring()
        var question = PostgresArguments()
        question.append(int8: inquiry)
        var pause = options.pause
        while true {
            let rows = try await read(Statements.takeReply, question)
            if rows.count > 0 { return try decoded { () throws(PostgresShapeError) in try Unacknowledged(rows) } }
            let left = end - .now
            guard left > .zero else { return nil }
            await inquiryBell.wait(atMost: min(pause, left))
            pause = min(pause * 2, Self.longestPause)
        }
    }

    /// Another node asks about a connection of this one.
    func take(inquiry entry: LogEntry) {
        guard let ordinal = entry.device else { return }
        guard let session = sessions[ordinal], session.id == entry.session else {
            return answer([entry.seq], Unacknowledged.none)
        }
        inquiries.add(entry.seq, about: session.id)
        outbox.post(.inquiry(DeviceHandle(ordinal: ordinal), session: session.id), to: session.loop)
    }

    /// A loop tells of a connection, or it has ended.
    func tell(_ unacknowledged: Unacknowledged, of session: SessionID) {
        let asked = inquiries.end(of: session, unacknowledged)
        if !asked.isEmpty { answer(asked, unacknowledged) }
    }

    private func answer(_ asked: [UInt64], _ told: Unacknowledged) {
        var arguments = argumentsOfNow()
        arguments.append(int8Array: asked.map { Int64(bitPattern: $0) })
        arguments.append(int8Array: told.messages.map { Int64(bitPattern: $0.position.raw) })
        arguments.append(int8Array: told.messages.map(\.age))
        arguments.append(boolArray: told.messages.map(\.isAcknowledged))
        let answer = arguments
        work { node in
            // Who is answered reads what became of the messages then.
            await node.writeFacts()
            _ = await node.own.call(PostgresCall(Statements.answer, answer, deadline: node.options.patience))
        }
    }
}

extension Unacknowledged {
    /// A row of `take_reply_1`.
    fileprivate init(_ rows: PostgresRows) throws(PostgresShapeError) {
        guard var positions = try rows.array(0, 0, of: .int8), var ages = try rows.array(0, 1, of: .int8),
            var acknowledged = try rows.array(0, 2, of: .bool)
        else { throw .null }
        var messages: [Message] = []
        for _ in 0..<positions.count {
            guard let position = try positions.int8(), let age = try ages.int8(), let isAcknowledged = try acknowledged.bool()
            else {
                throw .null
            }
            messages.append(
                Message(position: Position(raw: UInt64(bitPattern: position)), age: age, isAcknowledged: isAcknowledged))
        }
        self.init(messages: messages)
    }
}
