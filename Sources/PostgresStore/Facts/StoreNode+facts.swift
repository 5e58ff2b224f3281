internal import Postgres
internal import Push
internal import StoreCore

// Acknowledgements: gathered for a quarter of a second, then written.

extension StoreNode {
    /// How soon after the first of them acknowledgements are written.
    static let factsPause = Duration.milliseconds(250)

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
        if await write(changes) {
            facts.wrote(changes)
            gate.isOpen = !facts.isFull
        } else {
            facts.takeBack(changes)
        }
    }

    /// A bitmap as it is written; `nil` for the device of a unicast.
    private typealias Written = (key: NodeFacts.Key, bits: [UInt8]?)

    private func write(_ changes: NodeFacts.Changes) async -> Bool {
        let all: [Written] = changes.unicasts.map { ($0, nil) } + changes.bitmaps.map { ($0.key, $0.bits) }
        guard let rows = await settle(all, anyway: false) else { return false }
        var refused: Set<NodeFacts.Key> = []
        do throws(PostgresShapeError) {
            var rest: [NodeFacts.Key: [UInt8]] = [:]
            for row in 0..<rows.count {
                let key = all[Int(try rows.present4(row, 0)) - 1].key
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
        let rejections = changes.rejections.filter { facts.isCounted($0, without: refused) }
        return rejections.isEmpty ? true : await tell(rejections)
    }

    private func settle(_ written: [Written], anyway: Bool) async -> PostgresRows? {
        var arguments = PostgresArguments()
        arguments.append(int4: number)
        arguments.append(each: written, int8: { Int64(bitPattern: $0.key.task) })
        arguments.append(each: written, int4: { Int32($0.key.mark.rawValue) })
        arguments.append(each: written, int4: { Int32(bitPattern: $0.key.chunk) })
        arguments.append(each: written, bytea: { $0.bits })
        arguments.append(bool: anyway)
        guard case .rows(let rows) = await own.call(PostgresCall(Statements.settle, arguments, deadline: options.patience)) else {
            return nil
        }
        return rows
    }

    /// Why devices have not taken messages.
    private func tell(_ rejections: [NodeFacts.Rejection]) async -> Bool {
        var arguments = PostgresArguments()
        arguments.append(each: rejections, int8: { Int64(bitPattern: $0.key.task) })
        arguments.append(each: rejections, int4: { _ in Int32(RecipientState.rejectionNumber) })
        arguments.append(each: rejections, int8: { Int64($0.ordinal) })
        arguments.append(
            each: rejections, text: { "0x" + String($0.reasonCode, radix: 16, uppercase: true) })
        if case .rows = await own.call(PostgresCall(Statements.tell, arguments, deadline: options.patience)) { return true }
        return false
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
            let beyond = facts.beyond(of: moved.map(\.key))
            arguments.append(each: beyond, int8: { Int64($0.ordinal) })
            arguments.append(each: beyond, int8: { Int64(bitPattern: $0.position) })
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
                task: try rows.position(row, 1), only: try rows.int8(row, 2).map { UInt32(truncatingIfNeeded: $0) })
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
