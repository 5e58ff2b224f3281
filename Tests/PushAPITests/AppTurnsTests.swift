import Base
import Push
import TestKit
import Testing

@testable import PushAPI

@Suite("Lists of many callers")
struct AppTurnsTests {
    /// Lists that are being read, until somebody lets them be answered.
    private final class Readers: Sendable {
        private let counts = Locked<[AppKey?: Int]>([:])
        let end = Signal()

        func read(_ app: AppKey?) async {
            counts.withLock { $0[app, default: 0] += 1 }
            await end.wait()
        }

        /// How many have begun.
        func begun(_ app: AppKey) -> Int { counts.withLock { $0[app] ?? 0 } }
    }

    @Test("an app that asks for many lists at once waits for itself, and nobody for it; all are answered")
    func manyLists() async throws {
        let readers = Readers()
        var script = FakeStore.Script()
        script.tasks = { filter, _, _ throws(StoreError) in
            await readers.read(filter.caller)
            return Page(items: [], next: nil)
        }
        script.recipients = { query throws(StoreError) in
            await readers.read(query.app)
            return Page(items: [], next: nil)
        }
        try await Served.with(script) { served in
            let (app, other) = (Served.app, Served.messageApp)
            var waiting: [RawConnection] = []
            func begin(_ call: Call) throws {
                let connection = try RawConnection(port: served.pushPort)
                try connection.send(call.bytes)
                waiting.append(connection)
            }
            for index in 0..<40 {
                let target = index % 2 == 0 ? "/psp/push/tasks?limit=1000" : "/psp/push/task/t-1/devices?state=pending"
                try begin(.get(target))
            }
            try await until { readers.begun(app.key) == AppTurns.limit }
            try begin(.get("/psp/push/tasks", by: other))
            try await until { readers.begun(other.key) == 1 }
            // They have had all the time that the other app's has taken.
            #expect(readers.begun(app.key) == AppTurns.limit)
            readers.end.open()
            for connection in waiting { expectSuccess(try connection.reply()) }
            #expect(readers.begun(app.key) == 40)
        }
    }

    @Test("so many lists of an app wait, and one more is refused")
    func bound() async throws {
        let readers = Readers()
        var script = FakeStore.Script()
        script.tasks = { filter, _, _ throws(StoreError) in
            await readers.read(filter.caller)
            return Page(items: [], next: nil)
        }
        try await Served.with(script) { served in
            var waiting: [RawConnection] = []
            for _ in 0..<AppTurns.limit + AppTurns.mostWaiting {
                let connection = try RawConnection(port: served.pushPort)
                try connection.send(Call.get("/psp/push/tasks").bytes)
                waiting.append(connection)
            }
            for _ in 0..<60_000 where await served.push.turns.mayWait(Served.app.key) {
                try await Task.sleep(for: .milliseconds(1))
            }
            expect(try served.send(.get("/psp/push/tasks")), 2301, status: 429)
            readers.end.open()
            for connection in waiting { expectSuccess(try connection.reply()) }
            expectSuccess(try served.send(.get("/psp/push/tasks")))
        }
    }
}
