import Base
import FaultVFS
import Foundation
import Push
import Synchronization
import Testing

@testable import SQLiteStore

/// Everything that was not synced is dropped at a random moment, while pushes, deliveries and changes of the directory go on.
@Suite("Power failure")
struct PowerFailureTests {
    /// What callers and devices had been told before the power failed.
    private struct Told {
        var stored: Set<TaskID> = []
        var delivered: [TaskID: Int] = [:]
        var registered: Set<String> = []
        /// Acknowledgements that were handed over, with the time.
        var settled: [(device: String, task: TaskID, at: ContinuousClock.Instant)] = []
    }

    private final class Traffic: Sendable {
        let told = Locked(Told())
        let isOver = Atomic(false)
        let port: any StorePort
        init(_ port: any StorePort) { self.port = port }

        var goesOn: Bool { !isOver.load(ordering: .relaxed) }
        func note(_ change: @Sendable (inout Told) -> Void) { told.withLock { change(&$0) } }
    }

    private static let devices = (0..<6).map { "d\($0)" }

    @Test("what was answered before is there, and nothing is counted twice", arguments: 0..<24)
    func drop(round: Int) async throws {
        var random = SplitMix(seed: UInt64.random(in: 0...UInt64.max))
        let directory = try TemporaryDirectory()
        let disk = FaultyDisk(prefix: directory.path)
        let fixture = try await StoreFixture(in: directory, keeping: disk) { options in
            options.tuning.mergeThreshold = Int.random(in: 5...60, using: &random)
            options.tuning.mergePause = 3
            options.tuning.checkpointThreshold = Int.random(in: 5...200, using: &random)
        }
        try await fixture.app("app")
        try await fixture.org("root")
        for device in Self.devices { try await fixture.device(device, in: "root") }

        let traffic = Traffic(fixture.port)
        let left = try TemporaryDirectory()
        let pause = round % 6 == 0 ? 1_500 : Int.random(in: 20...400, using: &random)
        let (percent, seed) = (round % 3 == 0 ? 0 : Int.random(in: 0...100, using: &random), random.next())
        let (known, time) = try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<4 { group.addTask { await Self.push(traffic, caller) } }
            group.addTask { try await Self.register(traffic) }
            group.addTask { try await Self.receive(traffic) }
            try await Task.sleep(for: .milliseconds(pause))
            let (known, time) = (traffic.told.withLock { $0 }, ContinuousClock.now)
            #expect(disk.failPower(into: left.path, keeping: percent, seed: seed) == 0)
            traffic.isOver.store(true, ordering: .sequentiallyConsistent)
            try await group.waitForAll()
            return (known, time)
        }
        try await compare(fixture, left, known, at: time)
    }

    private static func push(_ traffic: Traffic, _ caller: Int) async {
        var number = 0
        while traffic.goesOn {
            number += 1
            let target: PushRequest.Target = number % 3 == 0 ? .device("d\(number % 6)") : .organisation("root")
            let accepted = await traffic.port.append(.message(target, bizNo: "\(caller)-\(number)"), withinRate: true)
            if case .stored(let task) = accepted { traffic.note { _ = $0.stored.insert(task) } }
        }
    }

    private static func register(_ traffic: Traffic) async throws {
        var number = 0
        while traffic.goesOn {
            number += 1
            // A few dozen, which then become test devices and back: each task of the organisation is compared device by device.
            let token = "x\(number % 48)"
            _ = try await traffic.port.apply(FaultTests.device(token, test: number / 48 % 2 == 1))
            traffic.note { _ = $0.registered.insert(token) }
        }
    }

    private static func receive(_ traffic: Traffic) async throws {
        var number = 0
        while traffic.goesOn {
            let device = devices[number % devices.count]
            number += 1
            let session = try await TestSession.attach(device, traffic.port)
            let rows = Array(try await session.pending().prefix(10))
            session.detach(settling: rows)
            let now = ContinuousClock.now
            traffic.note { told in for row in rows { told.settled.append((device, row.task, now)) } }
            if let task = rows.first?.task {
                let delivered = try await traffic.port.report(task, to: nil).counts.delivered
                traffic.note { $0.delivered[task] = max($0.delivered[task] ?? 0, delivered) }
            }
        }
    }

    /// Opens what the power failure left.
    private func compare(
        _ fixture: StoreFixture, _ left: TemporaryDirectory, _ known: Told, at time: ContinuousClock.Instant
    ) async throws {
        fixture.close()
        try await fixture.open(left.path)
        let port = fixture.port
        for token in known.registered { _ = try await port.device(DeviceToken(unchecked: token)) }
        var delivered: [TaskID: Int] = [:]
        for task in known.stored {
            let counts = try await fixture.counts(task)
            #expect(counts.pending + counts.delivered == counts.targeted)
            let listed = try await fixture.recipients(task, .delivered)
            #expect(listed.count == counts.delivered && Set(listed).count == listed.count)
            // Only what was handed over can be counted; what a caller has read does not fall back.
            #expect(counts.delivered >= known.delivered[task] ?? 0)
            delivered[task] = counts.delivered
        }
        // Every device gets what it has not acknowledged, once.
        for device in Self.devices {
            let pending = try await fixture.pendingTasks(device)
            #expect(Set(pending).count == pending.count)
            #expect(pending == pending.sorted { $0.text < $1.text })
            let settled = Set(known.settled.filter { $0.device == device && time - $0.at > .seconds(1) }.map(\.task))
            #expect(settled.isDisjoint(with: pending))
        }
        let session = try await fixture.attach("d0")
        session.detach(settling: try await session.pending())
        for (task, before) in delivered {
            #expect(try await fixture.counts(task).delivered <= min(before + 1, 6 + known.registered.count))
        }
        let next = try await fixture.push(.message(.organisation("root")))
        #expect(known.stored.allSatisfy { $0.text < next.text })
    }
}
