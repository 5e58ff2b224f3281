internal import Base
internal import Logging
internal import Push
internal import PushAPI

/// Begins and ends traces: tells all loops when what is traced has changed, has the log told as well, and ends each in time.
actor TraceBoard {
    private let tracer: Tracer
    private let loops: [ServerLoop]
    private let log = Logger(label: "trace")
    private var ends: [String: Task<Void, Never>] = [:]

    init(_ tracer: Tracer, _ loops: [ServerLoop]) {
        self.tracer = tracer
        self.loops = loops
    }

    /// What the operators' interface asks.
    nonisolated var control: TraceControl {
        TraceControl(
            tracer: tracer, begin: { subject, minutes in await self.begin(subject, minutes) }, end: { id in await self.end(id) })
    }

    private func begin(_ subject: TraceSubject, _ minutes: Int64) async -> Trace? {
        guard let trace = tracer.begin(subject, until: WallClock.milliseconds + minutes * 60_000) else { return nil }
        _ = tracer.follow(trace.id) { [log] event in
            guard let event else { return }
            let metadata = Logger.Metadata(event.fields.map { ($0.name, .string($0.value)) }) { first, _ in first }
            log.notice("\(event.name)", metadata: metadata)
        }
        await tellLoops()
        log.notice("a trace begins", metadata: ["trace_id": "\(trace.id)", "minutes": "\(minutes)"])
        ends[trace.id] = Task { [weak self] in
            do { try await Task.sleep(for: .seconds(minutes * 60)) } catch { return }
            _ = await self?.end(trace.id)
        }
        return trace
    }

    private func end(_ id: String) async -> Bool {
        ends.removeValue(forKey: id)?.cancel()
        guard tracer.end(id) else { return false }
        log.notice("a trace ends", metadata: ["trace_id": "\(id)"])
        await tellLoops()
        return true
    }

    private func tellLoops() async {
        for loop in loops { await loop.traceAnew() }
    }
}
