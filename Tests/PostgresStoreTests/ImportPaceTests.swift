import Testing

@testable import PostgresStore

/// How many lines of an import a call takes.
struct ImportPaceTests {
    /// Others may be kept from the lane for 5 ms.
    @Test(arguments: [3, 30, 150] as [Int64])
    func aCallThatTakesThreeTimesAsLongKeepsNobodyTooLong(_ microsecondsALine: Int64) {
        var pace = ImportPace()
        for _ in 0..<100 { pace.finished(pace.size, held: Int64(pace.size) * microsecondsALine) }
        let held = Int64(pace.size) * microsecondsALine
        #expect(3 * held <= 5_000)
        #expect(pace.size == 512 || held > 1_000)
        #expect(pace.pause == .microseconds(held))
    }

    @Test func aSlowCallHalvesTheNextAndAFastOneAddsAQuarter() {
        var pace = ImportPace()
        #expect(pace.size == 32)
        pace.finished(32, held: 100)
        #expect(pace.size == 40)
        pace.finished(40, held: 90_000)
        #expect(pace.size == 20)
    }

    /// The last one of a part says nothing of what a whole one takes.
    @Test func aShortCallLeavesItAsItIs() {
        var pace = ImportPace()
        pace.finished(3, held: 200)
        #expect(pace.size == 32)
    }
}
