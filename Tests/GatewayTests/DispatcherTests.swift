import MQTT
import Push
import TestKit
import Testing

@testable import Gateway

private let top = OrgID(unchecked: "top")
private let side = OrgID(unchecked: "side")

private func name(_ index: Int) -> DeviceToken { DeviceToken(unchecked: "d\(index)") }

extension Simulation {
    /// Live sessions of the devices d0, d1, … below one organisation; another is empty.
    fileprivate init(devices: Int, window: Int = 4, ringBytes: Int = 64 * 1024) {
        self.init(window: window, ringBytes: ringBytes)
        change { $0.putOrganisation(top) }
        change { $0.putOrganisation(side) }
        for index in 0..<devices { change { $0.putDevice(name(index), in: top) } }
        for index in 0..<devices { connect(name(index)) }
        settleDown()
    }

    /// What a device has received and not acknowledged.
    fileprivate func inFlight(_ index: Int) -> [Position] { clients[name(index)]?.unacknowledged.map(\.position) ?? [] }

    fileprivate func isLive(_ index: Int) -> Bool { clients[name(index)]?.session.state == .live }

    fileprivate var pagesAsked: UInt64 { dispatcher.counters.pages }
}

@Suite("Dispatch")
struct DispatcherTests {
    @Test("a groupcast goes from slot to slot, and a device that was not reached yet gets it before its own message")
    func unicastMeetsTheSweep() {
        var simulation = Simulation(devices: 3)
        let first = simulation.append(to: .organisation(top)).position
        simulation.applyAll()
        #expect(simulation.inFlight(0) == [])
        simulation.visit()
        #expect(simulation.inFlight(0) == [first])
        let own = simulation.append(to: .device(name(2))).position
        simulation.applyAll()
        #expect(simulation.inFlight(2) == [first, own])
        #expect(simulation.inFlight(1) == [])
        simulation.sweepAll()
        #expect(simulation.inFlight(1) == [first])
        #expect(simulation.inFlight(2) == [first, own])
    }

    @Test("a row that is queued while the walk is under way reaches those behind the walk in the next round")
    func queuedMeanwhile() {
        var simulation = Simulation(devices: 3)
        let first = simulation.append(to: .organisation(top)).position
        simulation.applyAll()
        simulation.visit(2)
        let second = simulation.append(to: .organisation(top)).position
        simulation.applyAll()
        simulation.sweepAll()
        for index in 0..<3 { #expect(simulation.inFlight(index) == [first, second]) }
        #expect(simulation.dispatcher.sweep.isEmpty)
    }

    @Test("a device that moves during a sweep gets what was accepted for it before, and nothing more of its old organisation")
    func moveDuringSweep() {
        var simulation = Simulation(devices: 3)
        let before = simulation.append(to: .organisation(top)).position
        simulation.applyAll()
        simulation.visit()
        simulation.change { $0.putDevice(name(2), in: side) }
        let after = simulation.append(to: .organisation(top)).position
        let new = simulation.append(to: .organisation(side)).position
        simulation.applyAll()
        simulation.sweepAll()
        #expect(simulation.inFlight(1) == [before, after])
        #expect(simulation.inFlight(2) == [before, new])
    }

    @Test("an organisation that gets another parent during a sweep takes nothing from the row that is under way")
    func reparentDuringSweep() {
        var simulation = Simulation(devices: 2)
        simulation.change { $0.putDevice(name(1), in: side) }
        simulation.change { $0.putOrganisation(side, below: top) }
        simulation.settleDown()
        let row = simulation.append(to: .organisation(top)).position
        simulation.applyAll()
        simulation.change { $0.putOrganisation(side, below: nil) }
        let later = simulation.append(to: .organisation(top)).position
        simulation.applyAll()
        simulation.sweepAll()
        #expect(simulation.inFlight(0) == [row, later])
        #expect(simulation.inFlight(1) == [row])
    }

    @Test("a task that ends during a sweep reaches nobody who was not reached before")
    func endDuringSweep() {
        var simulation = Simulation(devices: 3)
        let row = simulation.append(to: .organisation(top))
        simulation.applyAll()
        simulation.visit()
        simulation.change { $0.end(row.task) }
        simulation.applyAll()
        simulation.sweepAll()
        #expect(simulation.inFlight(0) == [row.position])
        #expect(simulation.inFlight(1) == [])
        #expect(simulation.inFlight(2) == [])
    }

    @Test("who connects during a sweep gets the row once, from its page")
    func connectDuringSweep() {
        var simulation = Simulation(devices: 3)
        let row = simulation.append(to: .organisation(top)).position
        simulation.applyAll()
        simulation.visit(2)
        simulation.connect(name(1))
        simulation.request()
        simulation.arrive()
        #expect(simulation.inFlight(1) == [row])
        simulation.sweepAll()
        #expect(simulation.inFlight(1) == [row])
        #expect(simulation.inFlight(2) == [row])
    }

    @Test("a device whose window was full is served from the ring, without a page")
    func servedFromTheRing() {
        var simulation = Simulation(devices: 1, window: 2)
        let asked = simulation.pagesAsked
        let rows = (0..<6).map { _ in simulation.append(to: .device(name(0))).position }
        simulation.applyAll()
        #expect(!simulation.isLive(0))
        #expect(simulation.inFlight(0) == Array(rows.prefix(2)))
        simulation.settleDown()
        #expect(simulation.isLive(0))
        #expect(simulation.pagesAsked == asked)
        simulation.checkComplete()
    }

    @Test("what has left the ring comes from pages")
    func beyondTheRing() {
        var simulation = Simulation(devices: 1, window: 2, ringBytes: 1_000)
        let asked = simulation.pagesAsked
        for _ in 0..<8 { _ = simulation.append(to: .device(name(0))) }
        simulation.applyAll()
        simulation.settleDown()
        #expect(simulation.isLive(0))
        #expect(simulation.pagesAsked > asked)
        simulation.checkComplete()
    }

    @Test("rows that leave the ring before the sweep has come to a session are read from the log")
    func sweptTooLate() {
        var simulation = Simulation(devices: 2, window: 20, ringBytes: 1_000)
        let rows = (0..<12).map { _ in simulation.append(to: .organisation(top)).position }
        simulation.applyAll()
        #expect(simulation.dispatcher.sweep.count <= 4)
        simulation.visit()
        #expect(!simulation.isLive(0))
        simulation.sweepAll()
        simulation.request()
        while !simulation.pages.isEmpty { simulation.arrive() }
        #expect(simulation.inFlight(0) == rows)
        #expect(simulation.inFlight(1) == rows)
    }

    @Test("the ring does not serve positions before the last change of membership")
    func changeOfMembership() {
        var simulation = Simulation(devices: 1, window: 1)
        let first = simulation.append(to: .organisation(top)).position
        let second = simulation.append(to: .organisation(top)).position
        simulation.change { $0.putDevice(name(0), in: side) }
        _ = simulation.append(to: .organisation(top))
        let third = simulation.append(to: .organisation(side)).position
        simulation.applyAll()
        simulation.sweepAll()
        #expect(simulation.inFlight(0) == [first])
        let asked = simulation.pagesAsked
        simulation.acknowledge(name(0))
        simulation.request()
        #expect(simulation.pagesAsked == asked + 1)
        simulation.arrive()
        #expect(simulation.inFlight(0) == [second])
        simulation.settleDown()
        #expect(simulation.log.devices[name(0)].map { simulation.log.delivered[$0.handle] } == [first, second, third])
    }

    @Test("a page that is ahead of the feed makes the session live, and the feed repeats nothing")
    func pageAhead() {
        var simulation = Simulation(devices: 1)
        simulation.disconnect(name(0))
        simulation.connect(name(0))
        let row = simulation.append(to: .device(name(0))).position
        simulation.request()
        simulation.arrive()
        #expect(simulation.isLive(0))
        #expect(simulation.inFlight(0) == [row])
        simulation.applyAll()
        #expect(simulation.inFlight(0) == [row])
    }

    @Test("after a gap every session catches up, and a page that was read before it is not used")
    func gap() {
        var simulation = Simulation(devices: 1)
        simulation.disconnect(name(0))
        let row = simulation.append(to: .device(name(0)))
        simulation.connect(name(0))
        simulation.request()
        _ = simulation.log.end(row.task)
        simulation.gap()
        simulation.arrive()
        #expect(simulation.inFlight(0) == [])
        #expect(!simulation.isLive(0))
        simulation.settleDown()
        #expect(simulation.isLive(0))
    }

    @Test("a live device with nothing in flight is settled up to the feed's head")
    func settledUpToTheHead() throws {
        var simulation = Simulation(devices: 2)
        _ = simulation.append(to: .device(name(1)))
        simulation.applyAll()
        let session = try #require(simulation.clients[name(0)]?.session)
        #expect(simulation.dispatcher.settledUpTo(of: session) == simulation.log.end)
        let row = simulation.append(to: .organisation(top)).position
        simulation.applyAll()
        #expect(simulation.dispatcher.settledUpTo(of: session) < row)
        simulation.sweepAll()
        simulation.acknowledge(name(0))
        #expect(simulation.dispatcher.settledUpTo(of: session) == simulation.log.end)
    }

    @Test("what was acknowledged beyond the cursor is not sent again, and counts in the window behind what is")
    func settledBeyond() {
        var simulation = Simulation(devices: 1, window: 3)
        let rows = (0..<5).map { _ in simulation.append(to: .device(name(0))).position }
        simulation.applyAll()
        simulation.acknowledge(name(0), 1)
        simulation.acknowledge(name(0), 1)
        simulation.connect(name(0))
        simulation.request()
        simulation.arrive()
        #expect(simulation.inFlight(0) == [rows[0]])
        simulation.acknowledge(name(0))
        simulation.request()
        simulation.arrive()
        #expect(simulation.inFlight(0) == [rows[3], rows[4]])
    }

    @Test("a task that was cancelled holds the window no more, although the device says nothing", arguments: [64 * 1024, 400])
    func cancelledHolder(ringBytes: Int) {
        // With the small ring the cancelled row has left it: only the store knows.
        var simulation = Simulation(devices: 1, window: 3, ringBytes: ringBytes)
        let holder = simulation.append(to: .device(name(0)))
        let rows = (0..<6).map { _ in simulation.append(to: .device(name(0))).position }
        simulation.applyAll()
        for _ in 0..<2 { simulation.acknowledge(name(0), 1) }
        simulation.visitBlocked(4)
        #expect(simulation.inFlight(0) == [holder.position])
        simulation.change { $0.end(holder.task) }
        simulation.applyAll()
        simulation.visitBlocked(20)
        simulation.request()
        while !simulation.pages.isEmpty { simulation.arrive() }
        simulation.request()
        while !simulation.pages.isEmpty { simulation.arrive() }
        #expect(simulation.inFlight(0) == [holder.position] + rows[2..<5])
        simulation.settleDown()
        simulation.checkComplete()
        #expect(simulation.log.devices[name(0)].map { simulation.log.delivered[$0.handle] } == Set([holder.position] + rows))
    }

    @Test("a message that has expired holds the window no more, although the device says nothing")
    func expiredHolder() {
        var simulation = Simulation(devices: 1, window: 2)
        let holder = simulation.append(to: .device(name(0)), expires: 5_000).position
        let rows = (0..<3).map { _ in simulation.append(to: .device(name(0))).position }
        simulation.applyAll()
        simulation.acknowledge(name(0), 1)
        simulation.visitBlocked(4)
        #expect(simulation.inFlight(0) == [holder])
        simulation.now = 5_000
        simulation.visitBlocked()
        #expect(simulation.inFlight(0) == [holder] + rows[1...])
        #expect(simulation.dispatcher.blocked.isEmpty)
    }

    @Test("what ended does not make a client exceed its Receive Maximum")
    func endedInReceiveMaximum() {
        var simulation = Simulation(devices: 1)
        simulation.connect(name(0), receiveMaximum: 2)
        simulation.settleDown()
        let first = simulation.append(to: .device(name(0)))
        let second = simulation.append(to: .device(name(0)))
        let third = simulation.append(to: .device(name(0))).position
        simulation.applyAll()
        for task in [first.task, second.task] { simulation.change { $0.end(task) } }
        simulation.applyAll()
        simulation.visitBlocked(20)
        simulation.request()
        while !simulation.pages.isEmpty { simulation.arrive() }
        #expect(simulation.inFlight(0) == [first.position, second.position])
        simulation.acknowledge(name(0), 1)
        simulation.request()
        while !simulation.pages.isEmpty { simulation.arrive() }
        #expect(simulation.inFlight(0) == [first.position, third])
    }
}
