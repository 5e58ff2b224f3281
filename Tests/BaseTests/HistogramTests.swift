import Base
import Testing

@Suite("A histogram")
struct HistogramTests {
    @Test("counts a value in the first class that it is not larger than; the last class has no bound")
    func classes() {
        var histogram = Histogram(bounds: [10, 20])
        for value: Int64 in [-1, 10, 11, 20, 21, 1_000] { histogram.record(value) }
        #expect(histogram.counts == [2, 2, 2])
        #expect(histogram.count == 6 && histogram.sum == 1_061)
    }

    @Test("adds what another has counted")
    func sum() {
        var one = Histogram(bounds: [10])
        one.record(5)
        var other = Histogram(bounds: [10])
        other.record(15)
        one += other
        #expect(one == Histogram(bounds: [10], counts: [1, 1], sum: 20))
    }
}
