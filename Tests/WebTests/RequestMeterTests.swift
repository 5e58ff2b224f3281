import Base
import Testing

@testable import Web

@Suite("What a listener counts of its requests")
struct RequestMeterTests {
    @Test("a duration is in the class that a histogram would put it in")
    func classes() {
        for bound in RequestFigures.bounds + [0] {
            for duration in [bound - 1, bound, bound + 1] {
                let expected = RequestFigures.bounds.firstIndex { duration <= $0 } ?? RequestFigures.bounds.count
                #expect(RequestMeter.bucket(duration) == expected, "\(duration)")
            }
        }
    }

    @Test("durations by kind, statuses and refusals, each for itself")
    func figures() {
        let meter = RequestMeter(kinds: 2)
        meter.count(kind: 0, status: 200, after: 400_000)
        meter.count(kind: 1, status: 200, after: 20_000_000_000)
        meter.count(kind: 1, status: 503, after: 600_000)
        meter.countRefusal(kind: 1, code: 2302)
        // Of a kind or a status that there is not, something is counted nevertheless, and nothing is overwritten.
        meter.count(kind: 7, status: 1_000, after: -1)
        var expected = RequestFigures(kinds: 2)
        expected.durations[0].record(400_000)
        for duration: Int64 in [20_000_000_000, 600_000, 0] { expected.durations[1].record(duration) }
        expected.statuses = [200: 2, 503: 1, 599: 1]
        expected.refusals = [.init(kind: 1, code: 2302): 1]
        #expect(meter.figures == expected)

        var sum = expected
        sum += meter.figures
        #expect(sum.statuses == [200: 4, 503: 2, 599: 2] && sum.refusals == [.init(kind: 1, code: 2302): 2])
        #expect(sum.durations[1].count == 6)
    }
}
