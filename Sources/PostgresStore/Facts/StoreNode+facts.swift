internal import Postgres
internal import Push
internal import StoreCore

// Acknowledgements: gathered for a quarter of a second, then written.

extension StoreNode {
    /// How soon after the first of them acknowledgements are written.
    static let factsPause = Duration.milliseconds(250)

    func settle(_ deliveries: [Delivery]) {
        for delivery in deliveries { facts.settle(delivery) }
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
    func writeFacts() async {
        while isInWriting { await writtenBell.wait(atMost: options.pause) }
        isInWriting = true
        await writeOnce()
        isInWriting = false
        writtenBell.ring()
    }

    private func writeOnce() async {
        do throws(PostgresShapeError) {
            guard try await placeFacts(), try await readBitmaps() else { return }
        } catch {
            options.log("acknowledgements cannot be placed: \(error)")
            return
        }
        let changes = facts.takeChanges()
        guard !changes.isEmpty else { return }
        let keys = Array(changes.unicasts) + changes.bitmaps.map(\.key)
        var arguments = PostgresArguments()
        arguments.append(int4: number)
        arguments.append(each: keys, int8: { Int64(bitPattern: $0.task) })
        arguments.append(each: keys, int4: { Int32($0.mark.rawValue) })
        arguments.append(each: keys, int4: { Int32(bitPattern: $0.chunk) })
        arguments.appendArray(of: .bytea) { array in
            for _ in changes.unicasts { array.appendNull() }
            for change in changes.bitmaps { array.append(bytea: change.bits) }
        }
        if case .rows = await own.call(PostgresCall(Statements.settle, arguments, deadline: options.patience)) {
            facts.wrote(changes)
            gate.isOpen = !facts.isFull
        } else {
            facts.takeBack(changes)
        }
    }

    /// Writes how far devices are that stay connected, so that who dies with them does not have them told everything again.
    func moveCursors() async {
        while !isClosing {
            await cursorBell.wait(atMost: options.cursorPause)
            // Never before what was acknowledged: what lies before a cursor is not told again.
            await writeFacts()
            guard facts.isEmpty, case let cursors = facts.takeCursors(), !cursors.isEmpty else { continue }
            var arguments = PostgresArguments()
            let moved = Array(cursors)
            arguments.append(int4: number)
            arguments.append(each: moved, int8: { Int64($0.key) })
            arguments.append(each: moved, int8: { Int64(bitPattern: $0.value) })
            arguments.append(int8Array: [])
            arguments.append(int8Array: [])
            if case .rows = await own.call(PostgresCall(Statements.moveCursors, arguments, deadline: options.patience)) {
                continue
            }
            facts.takeBack(cursors)
        }
    }

    /// Finds out what positions are that were acknowledged, and nobody here remembers.
    private func placeFacts() async throws(PostgresShapeError) -> Bool {
        let unknown = Set(facts.unplaced.map(\.position.raw))
        guard !unknown.isEmpty else { return true }
        var arguments = PostgresArguments()
        arguments.append(int8Array: unknown.map { Int64(bitPattern: $0) })
        guard case .rows(let rows) = await own.call(PostgresCall(Statements.locate, arguments)) else { return false }
        var found: [UInt64: NodeFacts.Place] = [:]
        for row in 0..<rows.count {
            found[try rows.position(row, 0)] = NodeFacts.Place(
                task: try rows.position(row, 1), isUnicast: try rows.bool(row, 2) ?? false)
        }
        facts.place(unknown, found)
        return true
    }

    private func readBitmaps() async throws(PostgresShapeError) -> Bool {
        let keys = facts.unread
        guard !keys.isEmpty else { return true }
        var arguments = PostgresArguments()
        arguments.append(int4: number)
        arguments.append(each: keys, int8: { Int64(bitPattern: $0.task) })
        arguments.append(each: keys, int4: { Int32($0.mark.rawValue) })
        arguments.append(each: keys, int4: { Int32(bitPattern: $0.chunk) })
        guard case .rows(let rows) = await own.call(PostgresCall(Statements.ownBits, arguments)) else { return false }
        var known: [Int: [UInt8]] = [:]
        for row in 0..<rows.count { known[Int(try rows.present4(row, 0)) - 1] = try rows.bytea(row, 1) }
        for (index, key) in keys.enumerated() { facts.read(key, known[index]) }
        return true
    }
}
