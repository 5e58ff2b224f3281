import Base
import FaultVFS
import Foundation
import Push
import StoreContract
import Testing

@testable import SQLiteStore

/// Everything that was not synced, or a part of it, is dropped at chosen moments, while pushes, deliveries, receipts and changes
/// of the directory go on. `PSP_LONG_TESTS=1` takes more and longer runs.
@Suite("Power failure")
struct PowerFailureTests {
    private static let isLong = ProcessInfo.processInfo.environment["PSP_LONG_TESTS"] == "1"

    @Test("what was answered before is there, and nothing is counted twice", arguments: 0..<(isLong ? 24 : 3))
    func drop(run: Int) async throws {
        var random = SplitMix(seed: UInt64.random(in: 0...UInt64.max))
        let cuts = Cuts(try Self.cuts(&random, isLate: run % 3 == 0))
        let directory = try TemporaryDirectory()
        let disk = FaultyDisk(prefix: directory.path, observer: cuts.observe)
        let fixture = try await SQLiteFixture(in: directory, on: disk) { options in
            options.tuning.mergeThreshold = Int.random(in: 5...60, using: &random)
            options.tuning.mergePause = 3
            options.tuning.checkpointThreshold = Int.random(in: 5...200, using: &random)
        }
        try await fixture.port.makeApp("app")
        try await fixture.port.makeOrg("root")
        for device in Traffic.devices { try await fixture.port.makeDevice(device, in: "root") }

        cuts.start()
        try await Traffic(fixture.port, cuts.told, pushes: Self.isLong ? 600 : 60).run {
            try await eventually("every moment at which the power is to fail") { cuts.areTaken }
        }
        fixture.close()
        #expect(cuts.errors == [])
        for (cut, told, time) in cuts.taken { try await compare(cut, told, at: time, &random) }
    }

    /// Each kind of moment, early and later, with nothing, a part and all of what was not synced.
    private static func cuts(_ random: inout SplitMix, isLate: Bool) throws -> [Cut] {
        var cuts: [Cut] = []
        for (moment, last) in [
            (FaultyDisk.Moment.logWrite, 1_000), (.logSync, 200), (.fileWrite, 300), (.fileSync, 8), (.logRestart, 8),
        ] {
            for keeping in [0, 0, Int.random(in: 1...99, using: &random), 100] {
                cuts.append(
                    Cut(
                        moment: moment, number: Int.random(in: 1...last, using: &random), keeping: keeping, seed: random.next(),
                        left: try TemporaryDirectory()))
            }
        }
        // An acknowledgement that was read a second before is not asked for again.
        if isLate {
            cuts.append(
                Cut(
                    moment: .logSync, number: 1, keeping: 0, after: .milliseconds(1_500), seed: random.next(),
                    left: try TemporaryDirectory()))
        }
        return cuts
    }

    /// Opens what a power failure left.
    private func compare(_ cut: Cut, _ told: Told, at time: ContinuousClock.Instant, _ random: inout SplitMix) async throws {
        let disk = FaultyDisk(prefix: cut.left.path)
        let fixture = try await SQLiteFixture(in: cut.left, on: disk)
        let port = fixture.port
        for token in told.registered { _ = try await port.device(DeviceToken(unchecked: token)) }
        #expect(try await fixture.wrongSums == 0, "\(cut)")
        let reports = try await reports(port)
        #expect(told.stored.isSubset(of: reports.keys), "\(cut)")
        for (task, report) in reports {
            #expect(report.counts.parts.values.reduce(0, +) == report.counts.targeted, "\(cut)")
            // Only what was handed over can be counted; what a caller has read does not fall back.
            #expect(report.counts.delivered >= told.delivered[task] ?? 0, "\(cut)")
            if told.cancelled.contains(task) { #expect(report.status == .cancelled || report.counts.parts == [:]) }
        }
        // The newest, which the failure hit, and some others.
        let newest = reports.values.sorted { $0.task.text > $1.task.text }.prefix(8)
        for report in newest + reports.values.shuffled(using: &random).prefix(16) {
            let listed = try await port.recipients(report.task, .delivered)
            #expect(listed.count == report.counts.delivered && Set(listed).count == listed.count, "\(cut)")
        }
        for device in Traffic.devices { try await compare(device, port, cut, told, at: time) }
        let after = try await self.reports(port)
        for (task, report) in reports {
            #expect(after[task].map { $0.counts.delivered <= report.counts.delivered + Traffic.devices.count } ?? false, "\(cut)")
            #expect(after[task].map { $0.counts.delivered <= 6 + told.registered.count } ?? false, "\(cut)")
        }
        try await eventually("sums of everything") { try await fixture.isSummed }
        #expect(try await fixture.wrongSums == 0, "\(cut)")
        let next = try await port.push(.message(.organisation("root")))
        #expect(told.stored.allSatisfy { $0.text.suffix(12) < next.text.suffix(12) }, "\(cut)")
        #expect(fixture.loop.faults == [], "\(cut)")
    }

    /// Every device gets what it has not acknowledged, once, and acknowledges it.
    private func compare(
        _ device: String, _ port: any StorePort, _ cut: Cut, _ told: Told, at time: ContinuousClock.Instant
    ) async throws {
        let session = try await port.connect(device)
        let pending = try await session.read().map(\.task)
        #expect(Set(pending).count == pending.count, "\(cut)")
        #expect(pending == pending.sorted { $0.text < $1.text }, "\(cut)")
        let settled = Set(told.settled.filter { $0.device == device && time - $0.at > .seconds(1) }.map(\.task))
        #expect(settled.isDisjoint(with: pending), "\(cut)")
        for task in told.opened[device, default: []] { #expect(try await session.tell(task, .opened) == .known, "\(cut)") }
        session.disconnect(settling: session.outstanding)
    }

    private func reports(_ port: any StorePort) async throws -> [TaskID: TaskReport] {
        let all = try await port.all { after throws(StoreError) in try await port.tasks(TaskFilter(), after: after, limit: 1_000)
        }
        return Dictionary(uniqueKeysWithValues: all.map { ($0.task, $0) })
    }
}
