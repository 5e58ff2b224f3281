import Base
import Foundation
import Push
import StoreContract
import StoreCore
import Testing

@testable import SQLiteStore

/// What the store costs; printed, not judged. `PSP_MEASURE=1 swift test -c release -Xswiftc -enable-testing --filter
/// Measurements`.
@Suite("Measurements", .enabled(if: ProcessInfo.processInfo.environment["PSP_MEASURE"] != nil), .serialized)
struct Measurements {
    /// CPU of the process, and time, in microseconds.
    private struct Cost {
        let cpu: Double
        let wall: Double
        static func now() -> Cost {
            var usage = rusage()
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            let cpu =
                Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6
                + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
            return Cost(cpu: cpu, wall: Double(MonotonicClock.nanoseconds) / 1_000)
        }
        static func - (a: Cost, b: Cost) -> Cost { Cost(cpu: a.cpu - b.cpu, wall: a.wall - b.wall) }
    }

    private func furnished(devices: Int) async throws -> SQLiteFixture {
        let fixture = try await SQLiteFixture()
        fixture.options.clocks = SystemClocks()
        try await fixture.restart()
        try await fixture.port.makeApp("app")
        try await fixture.port.makeOrg("root")
        for org in 0..<100 { try await fixture.port.makeOrg("o\(org)", under: "root") }
        let lines = (0..<devices).map { Self.line("device-token-\($0)", in: "o\($0 % 100)", user: "user-\($0)") }
        let before = Cost.now()
        _ = try await fixture.port.importLines(lines)
        let cost = Cost.now() - before
        print("import of \(devices) devices: \(cost.wall / 1e6) s, \(cost.cpu / Double(devices)) us CPU each, pushes meanwhile 0")
        return fixture
    }

    private static func line(_ token: String, in org: String, user: String) -> String {
        #"{"kind":"device","id":"\#(token)","platform":"android","org_id":"\#(org)","user_id":"\#(user)","secret":"secret"}"#
    }

    @Test("an append, in batches of 64, of 200,000 devices")
    func appends() async throws {
        let fixture = try await furnished(devices: 200_000)
        let port = fixture.port
        let text = String(repeating: "x", count: 300)
        for callers in [1, 16, 64, 256] {
            let each = callers == 1 ? 2_000 : 60_000 / callers
            let before = Cost.now()
            await withTaskGroup(of: Void.self) { group in
                for caller in 0..<callers {
                    group.addTask {
                        var random = SplitMix(seed: UInt64(caller) &+ 7)
                        for _ in 0..<each {
                            let device = Int.random(in: 0..<200_000, using: &random)
                            _ = await port.append(.message(.device("device-token-\(device)"), text: text))
                        }
                    }
                }
            }
            let cost = Cost.now() - before
            let count = Double(each * callers)
            let rate = Int(count / cost.wall * 1e6)
            print("append, \(callers) callers: \(cost.cpu / count) us CPU, \(rate)/s (callers and merges included)")
        }
    }

    @Test("the writer alone: 64 appends a transaction, without callers")
    func writer() async throws {
        let fixture = try await furnished(devices: 200_000)
        let port = try #require(fixture.port as? LoopPort)
        let text = String(repeating: "x", count: 300)
        let requests = (0..<64_000).map { number in
            PushRequest.message(.device("device-token-\((number &* 7_919) % 200_000)"), text: text)
        }
        for batch in [16, 64, 256] {
            let before = Cost.now()
            for first in stride(from: 0, to: requests.count - batch, by: batch) {
                try await port.ask(.change) { decisions, now throws(SQLiteError) in
                    for request in requests[first..<first + batch] {
                        _ = try decisions.pushes.append(request, at: now)
                    }
                }
            }
            let cost = Cost.now() - before
            print("writer, batch \(batch): \(cost.cpu / 64_000) us CPU an append, \(Int(64_000 / cost.wall * 1e6))/s")
        }
    }

    @Test("an import of 100,000 devices beside pushes: the longest wait of a push")
    func importBesidePushes() async throws {
        let fixture = try await furnished(devices: 1_000)
        for _ in 0..<3 {
            try await fixture.port.push(.configuration(.organisation("root"), tag: "\(UInt32.random(in: 0...UInt32.max))"))
        }
        let port = fixture.port
        let lines = (0..<100_000).map { String.deviceLine("more-\($0)", in: "o\($0 % 100)") }
        let isOver = Locked(false)
        let before = Cost.now()
        async let waits = Self.waits(port, isOver)
        _ = try await port.importLines(lines)
        isOver.withLock { $0 = true }
        let cost = Cost.now() - before
        let all = await waits.sorted()
        print("import of 100,000 devices, 3 configurations joined, beside pushes:")
        print("  \(cost.wall / 1e6) s, \(cost.cpu / 100_000) us CPU each")
        let (median, p99, longest) = (all[all.count / 2], all[all.count * 99 / 100], all[all.count - 1])
        print("  \(all.count) pushes: median \(median) us, p99 \(p99) us, longest \(longest) us")
    }

    private static func waits(_ port: any StorePort, _ isOver: Locked<Bool>) async -> [Double] {
        var waits: [Double] = []
        while !isOver.withLock({ $0 }) {
            let before = Cost.now()
            _ = await port.append(.message(.organisation("root")))
            waits.append((Cost.now() - before).wall)
        }
        return waits
    }

    @Test("an organisation with 10,000 devices joins another with 3 configurations; and 10,000 acknowledgements")
    func join() async throws {
        let fixture = try await SQLiteFixture()
        try await fixture.port.makeApp("app")
        for org in ["root", "away", "moved"] { try await fixture.port.makeOrg(org) }
        _ = try await fixture.port.importLines((0..<10_000).map { .deviceLine("device-\($0)", in: "moved") })
        for tag: ExactText in ["a", "b", "c"] { try await fixture.port.push(.configuration(.organisation("root"), tag: tag)) }
        for round in 0..<3 {
            let before = Cost.now()
            try await fixture.port.makeOrg("moved", under: round % 2 == 0 ? "root" : "away")
            let cost = Cost.now() - before
            let what = round % 2 == 0 ? "joins 3 configurations" : "joins nothing"
            print("reparent of 10,000 devices (\(what)): \(cost.wall / 1e3) ms")
        }
        let port = try #require(fixture.port as? LoopPort)
        let task = try await fixture.port.push(.message(.organisation("moved")))
        let position = Position(raw: try #require(fixture.store.tasks.position(of: task)))
        let before = Cost.now()
        port.settle(
            (1...10_000).map {
                Delivery(device: DeviceHandle(ordinal: $0), position: position, settledUpTo: position, kind: .delivered)
            })
        let counts = try await fixture.port.counts(task)
        let cost = Cost.now() - before
        print("10,000 acknowledgements, committed and reported: \(cost.cpu / 10_000) us CPU each, \(counts.delivered) delivered")
        let start = Cost.now()
        for number in 0..<2_000 { _ = try await fixture.port.pendingTasks("device-\(number)") }
        let pages = Cost.now() - start
        print("attach, pages to the end, detach: \(pages.cpu / 2_000) us CPU, \(pages.wall / 2_000) us")
        let gone = Cost.now()
        for number in 0..<1_000 { try await fixture.port.removeDevice("device-\(9_999 - number)") }
        print("remove a device with 4 pending: \((Cost.now() - gone).cpu / 1_000) us CPU")
    }
}
