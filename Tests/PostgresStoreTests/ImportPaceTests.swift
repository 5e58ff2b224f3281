import Testing

@testable import PostgresStore

/// How many lines of an import a call takes.
struct ImportPaceTests {
    /// What calls take, and how many lines are taken in the end.
    @Test(arguments: [(0, 2, 512), (1_000, 10, 50), (0, 30, 50), (0, 60, 25), (1_500, 100, 16)] as [(Int64, Int64, Int)])
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

    @Test func whatSomeCallsTakeChangesNothingAndWhatHalfOfThemTakeDoes() {
        var pace = ImportPace()
        for held: Int64 in [1_500, 5_000, 1_500, 5_000, 1_500, 5_000, 1_500, 1_500] { pace.finished(32, held: held) }
        #expect(pace.size == 32)
        for held: Int64 in [1_500, 3_000, 3_000, 3_000, 3_000, 3_000, 1_500, 1_500] { pace.finished(32, held: held) }
        #expect(pace.size == 16)
    }

    /// However many lines it had: each call of an import may be short, where tokens repeat.
    @Test(arguments: [64, 40])
    func aCallThatTakesFarTooLongIsTheLastOfItsSize(_ count: Int) {
        var pace = ImportPace()
        while pace.size < 64 { pace.finished(pace.size, held: 10) }
        pace.finished(count, held: 20_000)
        #expect(pace.size == max(min(pace.size, count / 2), 16))
        #expect(pace.size <= count / 2)
    }

    /// The last one of a part says nothing of what a whole one takes, and one that had nothing to write says nothing at all.
    @Test func aShortCallAndOneWithoutWorkLeaveItAsItIs() {
        var pace = ImportPace()
        for _ in 0..<20 { pace.finished(3, held: 200) }
        for _ in 0..<20 { pace.finished(32, held: 0) }
        #expect(pace.size == 32)
    }
}
