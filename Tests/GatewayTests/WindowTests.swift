import Push
import Testing

@testable import Gateway

private func at(_ raw: UInt64) -> Position { Position(raw: raw) }

@Suite("The window of messages in flight")
struct WindowTests {
    @Test("packet identifiers follow one another, and 0 is none of them")
    func identifiers() {
        var window = Window(limit: 10, firstPacketID: 65_534)
        #expect(window.append(at(1), after: at(0)) == 65_534)
        #expect(window.append(at(2), after: at(1)) == 65_535)
        #expect(window.append(at(3), after: at(2)) == 1)
        #expect(window.acknowledge(1) == at(3))
        #expect(window.acknowledge(65_534) == at(1))
        #expect(window.acknowledge(65_535) == at(2))
        #expect(window.isEmpty)
    }

    @Test("it counts from the oldest unacknowledged message, acknowledged ones in between included")
    func countsFromTheOldest() {
        var window = Window(limit: 3, firstPacketID: 100)
        for raw in UInt64(1)...3 { _ = window.append(at(raw), after: at(raw - 1)) }
        #expect(window.isFull)
        #expect(window.acknowledge(101) == at(2))
        #expect(window.acknowledge(102) == at(3))
        #expect(window.isFull)
        #expect(window.settledUpTo == at(0))
        #expect(window.acknowledge(100) == at(1))
        #expect(window.isEmpty)
        #expect(window.room == 3)
    }

    @Test("what is settled is what lies before the oldest unacknowledged message")
    func settledUpTo() {
        var window = Window(limit: 5, firstPacketID: 7)
        _ = window.append(at(10), after: at(4))
        _ = window.append(at(20), after: at(19))
        #expect(window.settledUpTo == at(4))
        #expect(window.acknowledge(7) == at(10))
        #expect(window.settledUpTo == at(19))
        #expect(window.acknowledge(8) == at(20))
        #expect(window.settledUpTo == nil)
    }

    @Test("unknown and repeated acknowledgements are ignored", arguments: [UInt16(0), 1, 6, 9, 65_535])
    func unknown(packetID: UInt16) {
        var window = Window(limit: 5, firstPacketID: 7)
        #expect(window.acknowledge(packetID) == nil)
        _ = window.append(at(1), after: at(0))
        _ = window.append(at(2), after: at(1))
        #expect(window.acknowledge(packetID) == nil)
        #expect(window.acknowledge(8) == at(2))
        #expect(window.acknowledge(8) == nil)
        #expect(window.count == 2)
    }

    @Test("what is settled without being sent keeps its place behind an unacknowledged message, and only there")
    func settledInPassing() {
        var window = Window(limit: 3, firstPacketID: 1)
        window.appendSettled(at(1), after: at(0))
        #expect(window.isEmpty)
        _ = window.append(at(2), after: at(1))
        window.appendSettled(at(3), after: at(2))
        #expect(window.append(at(4), after: at(3)) == 3)
        #expect(window.isFull)
        #expect(window.acknowledge(2) == nil)
        #expect(window.acknowledge(1) == at(2))
        #expect(window.settledUpTo == at(3))
    }

    @Test("it remembers when each was sent, and acknowledged behind one that is not; what was never sent it does not")
    func remembered() {
        var window = Window(limit: 5, firstPacketID: 1)
        _ = window.append(at(1), after: at(0), at: Tick(10))
        _ = window.append(at(2), after: at(1), expires: 1_000, at: Tick(11))
        window.appendSettled(at(3), after: at(2))
        _ = window.append(at(4), after: at(3), at: Tick(12))
        func shown() -> [String] {
            window.remembered.map { "\($0.position.raw) \($0.isAcknowledged ? "acknowledged" : "sent") \($0.time.number)" }
        }
        #expect(window.acknowledge(4, at: Tick(20)) == at(4))
        #expect(shown() == ["1 sent 10", "2 sent 11", "4 acknowledged 20"])
        window.end { position, _ in position == at(2) }
        #expect(window.acknowledge(1, at: Tick(21)) == at(1))
        // It is over, and its PUBACK is still awaited.
        #expect(shown() == ["2 sent 11"])
        #expect(window.acknowledge(2, at: Tick(22)) == at(2))
        #expect(shown().isEmpty)
    }

    @Test("thousands of messages pass through a window of 65,535")
    func large() {
        var window = Window(limit: 65_535, firstPacketID: 60_000)
        var identifiers: [UInt16] = []
        for raw in UInt64(1)...65_535 { identifiers.append(window.append(at(raw), after: at(raw - 1))) }
        #expect(window.isFull)
        #expect(Set(identifiers).count == 65_535)
        for (index, packetID) in identifiers.enumerated() { #expect(window.acknowledge(packetID) == at(UInt64(index + 1))) }
        #expect(window.isEmpty)
    }

    @Test("what has ended holds neither the window nor the cursor, and its PUBACK still counts")
    func ended() {
        var window = Window(limit: 3, firstPacketID: 100)
        for raw in UInt64(1)...3 { _ = window.append(at(raw * 10), after: at(raw * 10 - 1)) }
        #expect(window.acknowledge(101) == at(20))
        #expect(window.isHeld && window.settledUpTo == at(9))
        window.end { position, _ in position == at(10) }
        #expect(!window.isFull && window.room == 2 && window.settledUpTo == at(29))
        #expect(window.append(at(40), after: at(39)) == 103)
        #expect(window.acknowledge(100) == at(10))
        #expect(window.acknowledge(100) == nil)
        #expect(window.settledUpTo == at(29))
    }

    @Test("what has ended behind an unacknowledged message waits for its turn")
    func endedBehind() {
        var window = Window(limit: 3, firstPacketID: 7)
        for raw in UInt64(1)...3 { _ = window.append(at(raw), after: at(raw - 1)) }
        window.end { position, _ in position == at(2) }
        #expect(window.isFull && window.settledUpTo == at(0))
        #expect(window.acknowledge(7) == at(1))
        #expect(window.count == 1 && window.settledUpTo == at(2))
        #expect(window.acknowledge(8) == at(2))
        #expect(window.acknowledge(9) == at(3))
        #expect(window.isEmpty && window.oldestSending == nil)
    }

    @Test("the Receive Maximum counts every message without PUBACK, ended ones too, and no others")
    func receiveMaximum() {
        var window = Window(limit: 10, receiveMaximum: 2, firstPacketID: 1)
        for raw in UInt64(1)...2 { _ = window.append(at(raw), after: at(raw - 1)) }
        #expect(window.isFull && !window.isHeld && window.room == 0)
        window.end { _, _ in true }
        #expect(window.isEmpty && window.isFull)
        #expect(window.acknowledge(2) == at(2))
        #expect(window.room == 1)
        #expect(window.append(at(3), after: at(2)) == 3)
        #expect(window.acknowledge(3) == at(3))
        #expect(window.append(at(4), after: at(3)) == 4)
        // Acknowledged behind the oldest: it counts in the window, not against the Receive Maximum.
        #expect(window.acknowledge(1) == at(1))
        #expect(window.append(at(5), after: at(4)) == 5)
        #expect(window.acknowledge(5) == at(5))
        #expect(window.room == 1 && window.count == 2)
    }

    @Test("the packet identifier of an ended message is not used again before its PUBACK")
    func identifierInUse() {
        var window = Window(limit: 20, firstPacketID: 5)
        _ = window.append(at(1), after: at(0))
        window.end { _, _ in true }
        var used: Set<UInt16> = []
        for raw in UInt64(2)...70_000 {
            let packetID = window.append(at(raw), after: at(raw - 1))
            used.insert(packetID)
            #expect(window.acknowledge(packetID) == at(raw))
        }
        #expect(used.count == 65_534 && !used.contains(5))
        #expect(window.acknowledge(5) == at(1))
        // Also where others are in flight on both sides of it.
        var second = Window(limit: 20, firstPacketID: 65_535)
        _ = second.append(at(1), after: at(0))
        second.end { _, _ in true }
        for raw in UInt64(2)...65_534 {
            let packetID = second.append(at(raw), after: at(raw - 1))
            #expect(second.acknowledge(packetID) == at(raw))
        }
        #expect(second.append(at(65_535), after: at(65_534)) == 65_534)
        #expect(second.append(at(65_536), after: at(65_535)) == 1)
        #expect(second.acknowledge(65_535) == at(1))
        #expect(second.acknowledge(1) == at(65_536))
        #expect(second.acknowledge(65_534) == at(65_535))
        #expect(second.isEmpty && second.room == 20)
    }

    @Test("messages without PUBACK are counted, and the time of the oldest is told, of ended ones too")
    func oldestSending() {
        var window = Window(limit: 5, firstPacketID: 1)
        #expect(window.oldestSending == nil)
        for raw in UInt64(1)...3 { _ = window.append(at(raw), after: at(raw - 1), at: Tick(UInt32(raw * 100))) }
        #expect(window.oldestSending == Tick(100) && window.unacknowledged == 3)
        window.end { position, _ in position == at(1) }
        #expect(window.oldestSending == Tick(100) && window.unacknowledged == 3)
        _ = window.acknowledge(1)
        #expect(window.oldestSending == Tick(200) && window.unacknowledged == 2)
        _ = window.acknowledge(2)
        _ = window.acknowledge(3)
        #expect(window.oldestSending == nil && window.unacknowledged == 0)
        #expect(Tick(3).elapsed(since: Tick(.max)) == 4)
    }

    @Test("a message's expiry is told in seconds, rounded up; none is the end of time")
    func expiry() {
        var window = Window(limit: 5, firstPacketID: 1)
        for (raw, expires) in [(UInt64(1), Int64?(1_001)), (2, 2_000), (3, nil)] {
            _ = window.append(at(raw), after: at(raw - 1), expires: expires)
        }
        var seen: [UInt32] = []
        window.end { _, expires in
            seen.append(expires)
            return false
        }
        #expect(seen == [2, 2, .max])
    }

    @Test("what was acknowledged on an earlier connection is known until it is passed")
    func settledBefore() {
        var window = Window(limit: 5, firstPacketID: 1, settledBeyond: [at(9), at(4)])
        #expect(window.wasSettledBefore(at(4)) && window.wasSettledBefore(at(9)) && !window.wasSettledBefore(at(5)))
        #expect(window.pageLimit == 7)
        window.forgetSettled(upTo: at(4))
        #expect(!window.wasSettledBefore(at(4)) && window.pageLimit == 6)
        window.forgetSettled(upTo: at(20))
        #expect(!window.wasSettledBefore(at(9)) && window.pageLimit == 5)
    }
}

@Suite("What ended lately")
struct EndedTasksTests {
    private let task = TaskID("t")

    @Test("an end is remembered until every page that was asked for before it has come")
    func remembered() {
        var ended = EndedTasks()
        let first = ended.begin()
        let second = ended.begin()
        ended.insert(task)
        ended.finish(second)
        #expect(ended.contains(task))
        let third = ended.begin()
        ended.finish(third)
        #expect(ended.contains(task))
        ended.finish(first)
        let later = ended.begin()
        ended.finish(later)
        #expect(ended.count == 0)
    }

    @Test("with no page outstanding nothing is remembered")
    func nothingOutstanding() {
        var ended = EndedTasks()
        ended.insert(task)
        #expect(!ended.contains(task))
    }

    @Test("pages without end do not make it grow")
    func bounded() {
        var ended = EndedTasks()
        var outstanding = ended.begin()
        for index in 0..<1_000 {
            ended.insert(TaskID("t\(index)"))
            let next = ended.begin()
            ended.finish(outstanding)
            outstanding = next
            #expect(ended.count <= 3)
        }
    }
}
