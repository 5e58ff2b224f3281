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
