internal import Base
internal import CoreMetrics

/// What is counted by swift-metrics: of this server what happens seldom, and whatever a library counts. Everything else is a
/// number of a loop, or of the store, which nobody locks, and is asked for when somebody wants to see it (``StatusBoard``).
///
/// ```swift
/// Counter(label: "psp_tls_reloads_total", dimensions: [("result", "failed")]).increment()
/// ```
final class MetricsRegistry: MetricsFactory {
    /// That of the process: swift-metrics takes one, when the process begins.
    static let process = MetricsRegistry()

    private struct Key: Hashable {
        let name: ExactText
        let labels: [ExactText]
    }

    private let all = Locked<[Key: Series]>([:])

    /// One series: a number that is counted or set, or a count and a sum.
    final class Series: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler {
        let name: String
        let kind: PrometheusText.Kind
        let labels: [(name: String, value: String)]
        private let state = Locked((count: UInt64(0), value: 0.0))

        fileprivate init(_ name: String, _ kind: PrometheusText.Kind, _ dimensions: [(String, String)]) {
            self.name = name
            self.kind = kind
            labels = dimensions.map { (MetricsRegistry.sanitised($0.0), $0.1) }
        }

        /// How often something was recorded, and the sum; of a counter or gauge its value.
        var now: (count: UInt64, value: Double) { state.withLock { $0 } }

        func increment(by amount: Int64) { increment(by: Double(amount)) }
        func increment(by amount: Double) { state.withLock { $0.value += amount } }
        func decrement(by amount: Double) { state.withLock { $0.value -= amount } }
        func set(_ value: Int64) { set(Double(value)) }
        func set(_ value: Double) { state.withLock { $0.value = value } }
        func record(_ value: Int64) { record(Double(value)) }
        func record(_ value: Double) { state.withLock { $0 = ($0.count + 1, $0.value + value) } }
        func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1_000_000_000) }
        func reset() { state.withLock { $0 = (0, 0) } }
    }

    /// All series, those of one name together.
    var families: [(name: String, kind: PrometheusText.Kind, series: [Series])] {
        let sorted = all.withLock { Array($0.values) }.sorted { ($0.name, "\($0.labels)") < ($1.name, "\($1.labels)") }
        return sorted.reduce(into: []) { families, series in
            if families.last?.name == series.name {
                families[families.count - 1].series.append(series)
            } else {
                families.append((series.name, series.kind, [series]))
            }
        }
    }

    // MARK: What swift-metrics asks for

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(Self.counterName(label), .counter, dimensions)
    }

    func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
        series(Self.counterName(label), .counter, dimensions)
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(Self.sanitised(label), .gauge, dimensions)
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        series(Self.sanitised(label), .summary, dimensions)
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let name = Self.sanitised(label)
        return series(name.hasSuffix("_seconds") ? name : name + "_seconds", .summary, dimensions)
    }

    // What was counted stays: a series that goes and comes back would look like a restart.
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}

    private func series(_ name: String, _ kind: PrometheusText.Kind, _ dimensions: [(String, String)]) -> Series {
        let key = Key(name: ExactText(name), labels: dimensions.flatMap { [ExactText($0.0), ExactText($0.1)] })
        return all.withLock { all in
            if let series = all[key], series.kind == kind { return series }
            let series = Series(name, kind, dimensions)
            all[key] = series
            return series
        }
    }

    private static func counterName(_ label: String) -> String {
        let name = sanitised(label)
        return name.hasSuffix("_total") ? name : name + "_total"
    }

    /// Letters, digits and underscores: libraries write dots and hyphens too.
    private static func sanitised(_ label: String) -> String {
        let name = String(
            label.unicodeScalars.map { scalar in
                switch scalar {
                case "a"..."z", "A"..."Z", "0"..."9", "_": Character(scalar)
                default: "_"
                }
            })
        return name.first.map { ("0"..."9").contains($0) } ?? true ? "_" + name : name
    }
}
