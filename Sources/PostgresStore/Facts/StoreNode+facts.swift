internal import Postgres
internal import Push
internal import StoreCore

// Acknowledgements: gathered for a quarter of a second, then written.

extension StoreNode {
    /// How soon after the first of them acknowledgements are written.
    static let factsPause = Duration.milliseconds(250)
    /// How many rows one call writes, how many bitmaps it reads, and of how many positions it asks: each is over within
    /// milliseconds, and renewals of the lease come in between.
    private static let (rowsOfCall, bitmapsOfCall, positionsOfCall) = (1_000, 500, 5_000)
    /// How many bytes of bitmaps one call may be answered with: those of a thousand of all nodes.
    private static let bytesOfCall = 64 << 20

    func settle(_ deliveries: [Delivery]) {
        for delivery in deliveries { facts.settle(delivery, isConnected: sessions[delivery.device.ordinal] != nil) }
        gate.isOpen = !facts.isFull
        guard !isWritingFacts, !facts.isEmpty else { return }
        isWritingFacts = true
        work { node in
            while !node.facts.isEmpty, !node.isClosing {
                await node.factsBell.wait(atMost: Self.factsPause)
                await node.writeFacts()
            }
            node.isWritingFacts = false
        }
    }

    /// Writes what was told so far. Where it cannot be written it stays, and is written later. One call at a time: what was read
    /// of a bitmap holds until it is written.
    /// - Returns: whether all that was told before is written.
    @discardableResult
    func writeFacts() async -> Bool {
        while isInWriting { await writtenBell.wait(atMost: options.pause) }
        isInWriting = true
        let isWritten = await writeOnce()
        isInWriting = false
        writtenBell.ring()
        return isWritten
    }

    /// Rows are a node's own, by its number: without one it waits. Under another number a bitmap is written as a whole again,
    /// with what was written under the former one, whose rows stay: both tell the same.
    private func writeOnce() async -> Bool {
        if facts.isEmpty { return true }
        guard number != 0 else { return false }
        do throws(PostgresShapeError) {
            guard try await placeFacts(), try await readBitmaps() else { return false }
        } catch {
            tellFactsFault("\(error)")
            return false
        }
        let changes = facts.takeChanges()
        if changes.isEmpty { return true }
        guard await write(changes) else {
            facts.takeBack(changes)
            return false
        }
        facts.wrote(changes)
        gate.isOpen = !facts.isFull
        factsFault = ""
        return true
    }

    /// A bitmap as it is written; `nil` for the device of a unicast.
    private typealias Written = (key: NodeFacts.Key, bits: [UInt8]?)

    private func write(_ changes: NodeFacts.Changes) async -> Bool {
        let all: [Written] = changes.unicasts.map { ($0, nil) } + changes.bitmaps.map { ($0.key, $0.bits) }
        var refused: Set<NodeFacts.Key> = []
        for chunk in all.chunks(of: Self.rowsOfCall) where await !write(chunk, &refused) { return false }
        let rejections = changes.rejections.filter { facts.isCounted($0, without: refused) }
        for chunk in rejections.chunks(of: Self.rowsOfCall) where await !tell(chunk) { return false }
        return true
    }

    /// - Parameter refused: devices of unicasts of which something else was told before.
    private func write(_ written: [Written], _ refused: inout Set<NodeFacts.Key>) async -> Bool {
        guard let rows = await settle(written, anyway: false) else { return false }
        do throws(PostgresShapeError) {
            var rest: [NodeFacts.Key: [UInt8]] = [:]
            for row in 0..<rows.count {
                let key = written[Int(try rows.present4(row, 0)) - 1].key
                guard let others = try rows.bytea(row, 1) else {
                    refused.insert(key)
                    continue
                }
                if let bits = facts.leaveOut(others, of: key) { rest[key] = bits }
            }
            if !rest.isEmpty, await settle(rest.map { ($0.key, $0.value) }, anyway: true) == nil { return false }
        } catch {
            options.log("acknowledgements of others cannot be read: \(error)")
        }
        return true
    }

    private func settle(_ written: [Written], anyway: Bool) async -> PostgresRows? {
        var arguments = PostgresArguments()
        arguments.append(int4: number)
        arguments.append(each: written, int8: { Int64(bitPattern: $0.key.task) })
        arguments.append(each: written, int4: { Int32($0.key.mark.rawValue) })
        arguments.append(each: written, int4: { Int32(bitPattern: $0.key.chunk) })
        arguments.append(each: written, bytea: { $0.bits })
        arguments.append(bool: anyway)
        return await askForFacts(Statements.settle, arguments)
    }

    private func askForFacts(_ statement: PostgresStatement, _ arguments: PostgresArguments) async -> PostgresRows? {
        let outcome = await own.call(
            PostgresCall(
                statement, arguments, deadline: options.patience, mostRows: .max, mostBytes: Self.bytesOfCall))
        switch outcome {
        case .rows(let rows): return rows
        // That is told elsewhere.
        case .unavailable, .unknown: return nil
        case .failed, .tooLarge:
            tellFactsFault(outcome.reason)
            return nil
        }
    }

    /// Once, until there is something else to say: it is tried again soon.
    private func tellFactsFault(_ reason: String) {
        if reason != factsFault { options.log("acknowledgements cannot be written, and wait: \(reason)") }
        factsFault = reason
    }

    /// Why devices have not taken messages.
    private func tell(_ rejections: [NodeFacts.Rejection]) async -> Bool {
        var arguments = PostgresArguments()
        arguments.append(each: rejections, int8: { Int64(bitPattern: $0.key.task) })
        arguments.append(each: rejections, int4: { _ in Int32(RecipientState.rejectionNumber) })
        arguments.append(each: rejections, int8: { Int64($0.ordinal) })
        arguments.append(
            each: rejections, text: { "0x" + String($0.reasonCode, radix: 16, uppercase: true) })
        return await askForFacts(Statements.tell, arguments) != nil
    }

    /// Writes how far devices are that stay connected, so that who dies with them does not have them told everything again. And
    /// ends connections that the database has no longer for theirs: whatever made it so, a device that stays connected to no
    /// purpose would not come back by itself.
    func moveCursors() async {
        while !isClosing {
            await cursorBell.wait(atMost: options.cursorPause)
            guard number != 0 else { continue }
            do { _ = try await closeStrangers() } catch {
                options.log("connections cannot be compared with the database: \(error)")
            }
            let all = Array(facts.takeCursors())
            let chunks = all.chunks(of: Self.rowsOfCall).map { (cursors: $0, beyond: facts.beyond(of: $0.map(\.key))) }
            // Never before what was acknowledged until now: what lies before a cursor is not told again.
            var isWritten = await writeFacts()
            for chunk in chunks {
                if isWritten { isWritten = await move(chunk.cursors, beyond: chunk.beyond) }
                if !isWritten { facts.takeBack(Dictionary(uniqueKeysWithValues: chunk.cursors.map { ($0.key, $0.value) })) }
            }
        }
    }

    private func move(
        _ cursors: [(key: UInt32, value: UInt64)], beyond: [(ordinal: UInt32, position: UInt64)]
    ) async -> Bool {
        var arguments = PostgresArguments()
        arguments.append(int4: number)
        arguments.append(each: cursors, int8: { Int64($0.key) })
        arguments.append(each: cursors, int8: { Int64(bitPattern: $0.value) })
        arguments.append(each: beyond, int8: { Int64($0.ordinal) })
        arguments.append(each: beyond, int8: { Int64(bitPattern: $0.position) })
        return await askForFacts(Statements.moveCursors, arguments) != nil
    }

    /// Finds out what positions are that were acknowledged, and nobody here remembers.
    private func placeFacts() async throws(PostgresShapeError) -> Bool {
        let unknown = Array(Set(facts.unplaced.map(\.position.raw)))
        for chunk in unknown.chunks(of: Self.positionsOfCall) {
            var arguments = PostgresArguments()
            arguments.append(int8Array: chunk.map { Int64(bitPattern: $0) })
            guard let rows = await askForFacts(Statements.locate, arguments) else { return false }
            var found: [UInt64: NodeFacts.Place] = [:]
            for row in 0..<rows.count {
                found[try rows.position(row, 0)] = NodeFacts.Place(
                    task: try rows.position(row, 1), only: try rows.int8(row, 2).map { UInt32(truncatingIfNeeded: $0) })
            }
            facts.place(Set(chunk), found)
        }
        return true
    }

    private func readBitmaps() async throws(PostgresShapeError) -> Bool {
        for keys in facts.unread.chunks(of: Self.bitmapsOfCall) {
            var arguments = PostgresArguments()
            arguments.append(int4: number)
            arguments.append(each: keys, int8: { Int64(bitPattern: $0.task) })
            arguments.append(each: keys, int4: { Int32($0.mark.rawValue) })
            arguments.append(each: keys, int4: { Int32(bitPattern: $0.chunk) })
            guard let rows = await askForFacts(Statements.ownBits, arguments) else { return false }
            var known: [Int: [UInt8]] = [:]
            for row in 0..<rows.count { known[Int(try rows.present4(row, 0)) - 1] = try rows.bytea(row, 1) }
            for (index, key) in keys.enumerated() { facts.read(key, known[index]) }
        }
        return true
    }
}

extension Array {
    /// All of it in order, so many at a time.
    fileprivate func chunks(of size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
