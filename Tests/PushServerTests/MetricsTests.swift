import Gateway
import Testing

@testable import PushServer

@Suite("Metrics")
struct MetricsTests {
    @Test("loops are summed, and each metric has its help and its type")
    func page() {
        var one = ServerMetrics.Sample()
        one.devices.sessions = 2
        one.devices.accepted = 3
        one.replies = [0: 5, 2005: 1]
        var other = ServerMetrics.Sample()
        other.devices.sessions = 1
        other.replies = [0: 1]
        one += other
        let page = ServerMetrics(startedAt: 1.5, loops: 2).page(
            one, .serving, ProcessFigures(cpuSeconds: 0.25, residentBytes: 4_096, openFiles: 9, mostOpenFiles: 1_024))
        for lines in [
            """
            # HELP psp_push_replies_total Replies to callers, by error code; 0 is success.
            # TYPE psp_push_replies_total counter
            psp_push_replies_total{code="0"} 6
            psp_push_replies_total{code="2005"} 1

            """,
            """
            # HELP psp_device_sessions Devices that are connected.
            # TYPE psp_device_sessions gauge
            psp_device_sessions 3

            """,
            "psp_device_connects_total{outcome=\"accepted\"} 3\n", "psp_store_serving 1\n", "process_cpu_seconds_total 0.25\n",
        ] {
            #expect(page.contains(lines))
        }
        #expect(page.hasSuffix("\n"))
    }

    @Test("a store that takes no changes shows")
    func failed() {
        let page = ServerMetrics(startedAt: 0, loops: 1).page(.init(), .failed(reason: "disk"), .now)
        #expect(page.contains("psp_store_serving 0\n"))
    }

    @Test("the system tells of this process")
    func process() {
        let figures = ProcessFigures.now
        #expect(figures.residentBytes > 1 << 20)
        #expect(figures.openFiles >= 3 && figures.mostOpenFiles >= figures.openFiles)
    }
}
