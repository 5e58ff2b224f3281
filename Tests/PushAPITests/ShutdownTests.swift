import Push
import TestKit
import Testing

@testable import PushAPI

@Suite("Shutting down")
struct ShutdownTests {
    @Test("what is in hand is answered with Connection: close, nothing more is accepted, idle connections end")
    func drains() async throws {
        let gate = Signal()
        var script = FakeStore.Script()
        script.append = { _ in
            await gate.wait()
            return .stored(TaskID("t-last"))
        }
        let served = try await Served(script)
        let idle = try RawConnection(port: served.pushPort)
        try idle.send(Call.get("/psp/push/stats?tag=x").bytes)
        expectSuccess(try idle.reply())
        let busy = try RawConnection(port: served.pushPort)
        try busy.send(Call.push().bytes)
        try await until { served.store.asked.pushes.count == 1 }

        // At once, so that it waits for no thread of the pool, which this test blocks.
        let ended = Task.immediate { await served.push.shutdown() }
        #expect(try idle.isClosedByServer())
        #expect(throws: RawConnection.Failure.self) { _ = try served.send(.push()) }
        gate.open()
        let reply = try busy.reply()
        expectSuccess(reply)
        #expect(reply.headers["connection"] == "close")
        #expect(try busy.isClosedByServer())
        await ended.value
        await served.end()
    }

    @Test("a peer that never sends the rest of its request does not hold a shutdown up")
    func slowPeer() async throws {
        let served = try await Served()
        let slow = try RawConnection(port: served.pushPort)
        try slow.send("POST /psp/push/msg HTTP/1.1\r\nHost")
        let other = try RawConnection(port: served.pushPort)
        try other.send(Call.push().bytes)
        expectSuccess(try other.reply())
        await served.push.shutdown(patience: .milliseconds(50))
        #expect(try slow.isClosedByServer())
        await served.end()
    }

    @Test("an answer that comes when the time for it is over still reaches its peer", arguments: 0..<10)
    func late(_: Int) async throws {
        let gate = Signal()
        var script = FakeStore.Script()
        script.append = { _ in
            await gate.wait()
            return .stored(TaskID("t-late"))
        }
        let served = try await Served(script)
        let busy = try RawConnection(port: served.pushPort)
        try busy.send(Call.push().bytes)
        try await until { served.store.asked.pushes.count == 1 }
        let patience = Duration.milliseconds(20)
        let begin = ContinuousClock.now
        let ended = Task.immediate { await served.push.shutdown(patience: patience) }
        try await until { ContinuousClock.now - begin > patience * 2 }
        gate.open()
        expectSuccess(try busy.reply())
        #expect(try busy.isClosedByServer())
        await ended.value
        await served.end()
    }

    @Test("it is not ready from the begin of its shutdown; ending what never served, or twice, is fine")
    func edges() async throws {
        let served = try await Served()
        await served.admin.shutdown()
        await served.admin.shutdown()
        await served.end()
    }
}
