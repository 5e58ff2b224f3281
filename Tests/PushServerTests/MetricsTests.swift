import Base
import CoreMetrics
import Testing

@testable import PushServer

@Suite("Metrics as Prometheus reads them")
struct MetricsTests {
    private func text(_ write: (inout PrometheusText) -> Void) -> String {
        var text = PrometheusText()
        write(&text)
        return String(decoding: text.bytes, as: UTF8.self)
    }

    @Test("a family has its help, its type and its samples")
    func family() {
        let text = text { text in
            text.family("a_total", .counter, "One.") { $0.sample(UInt64.max) }
            text.family("b", .gauge, "Two\\three\nfour.") { family in
                family.sample(-1, [("loop", "0")])
                family.sample(0.25, [("loop", "1"), ("path", "a\"b\\c\nd")])
                family.sample(1e18)
                family.sample(.infinity)
                family.sample(.nan)
            }
        }
        let expected = #"""
            # HELP a_total One.
            # TYPE a_total counter
            a_total 18446744073709551615
            # HELP b Two\\three\nfour.
            # TYPE b gauge
            b{loop="0"} -1
            b{loop="1",path="a\"b\\c\nd"} 0.25
            b 1e+18
            b +Inf
            b NaN

            """#
        #expect(text == expected)
    }

    @Test("the classes of a histogram are told as sums, in the unit of its name")
    func histogram() {
        var histogram = Histogram(bounds: [500_000, 1_000_000_000])
        for value: Int64 in [500_000, 600_000, 2_000_000_000] { histogram.record(value) }
        let text = text { text in
            text.family("h_seconds", .histogram, "H.") { $0.histogram(histogram, per: 1e9, [("kind", "x")]) }
        }
        let expected = """
            # HELP h_seconds H.
            # TYPE h_seconds histogram
            h_seconds_bucket{kind="x",le="0.0005"} 1
            h_seconds_bucket{kind="x",le="1"} 2
            h_seconds_bucket{kind="x",le="+Inf"} 3
            h_seconds_sum{kind="x"} 2.0011
            h_seconds_count{kind="x"} 3

            """
        #expect(text == expected)
    }

    @Test("what a library counts by swift-metrics is told by names that Prometheus takes, each series once")
    func registry() {
        let registry = MetricsRegistry()
        Counter(label: "pool.opened", dimensions: [("db-name", "x")], factory: registry).increment(by: 2)
        Counter(label: "pool.opened", dimensions: [("db-name", "x")], factory: registry).increment()
        Counter(label: "pool.opened", dimensions: [("db-name", "y")], factory: registry).increment()
        Meter(label: "pool-size", factory: registry).set(3)
        let timer = Timer(label: "query", factory: registry)
        timer.recordSeconds(1)
        timer.recordMilliseconds(500)
        Recorder(label: "9rows", factory: registry).record(7)
        let told = registry.families.map { family in
            let series = family.series.map { "\($0.labels.map { "\($0.name)=\($0.value)" }) \($0.now.count) \($0.now.value)" }
            return "\(family.name) \(family.kind) \(series.joined(separator: ", "))"
        }
        let expected = [
            "_9rows summary [] 1 7.0", "pool_opened_total counter [\"db_name=x\"] 0 3.0, [\"db_name=y\"] 0 1.0",
            "pool_size gauge [] 0 3.0", "query_seconds summary [] 2 1.5",
        ]
        #expect(told == expected)
    }

    @Test("the system tells of this process")
    func process() throws {
        let figures = ProcessFigures()
        #expect(try #require(figures.processorTime) > 0)
        #expect(try #require(figures.residentMemory) < #require(figures.virtualMemory))
        #expect(try #require(figures.openFiles) >= 3)
        #expect(try #require(figures.mostFiles) >= UInt64(#require(figures.openFiles)))
        let age = Double(WallClock.milliseconds) / 1_000 - (try #require(figures.startTime))
        #expect(age > -0.02 && age < 86_400)
    }
}
