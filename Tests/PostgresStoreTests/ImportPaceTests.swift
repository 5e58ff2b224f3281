import Testing

@testable import PostgresStore

/// How many lines of an import a call takes.
struct ImportPaceTests {
    /// What calls take, and how many lines are taken in the end.
    @Test(arguments: [(0, 2, 512), (1_000, 10, 50), (0, 30, 50), (0, 60, 25), (1_500, 700, 16)] as [(Int64, Int64, Int)])
    func aCallTakesSoManyLinesAsFitIntoAMillisecondAndAHalf(_ always: Int64, _ aLine: Int64, _ lines: Int) {
        var pace = ImportPace()
        for _ in 0..<400 { pace.finished(pace.size, held: always + Int64(pace.size) * aLine) }
        #expect(abs(pace.size - lines) <= lines / 4)
    }

    @Test func othersAreLeftToThemselvesForAsLongAsTheyWereHeldUp() {
        var pace = ImportPace()
        pace.finished(32, held: 1_700)
        #expect(pace.pause == .microseconds(1_700))
    }

    @Test func oneSlowCallChangesNothingAndTwoInARowHalveTheNext() {
        var pace = ImportPace()
        #expect(pace.size == 32)
        for held: Int64 in [1_400, 90_000, 1_400, 90_000] { pace.finished(32, held: held) }
        #expect(pace.size == 32)
        pace.finished(32, held: 90_000)
        #expect(pace.size == 16)
    }

    /// The last one of a part says nothing of what a whole one takes.
    @Test func aShortCallLeavesItAsItIs() {
        var pace = ImportPace()
        for _ in 0..<20 { pace.finished(3, held: 200) }
        #expect(pace.size == 32)
    }
}
