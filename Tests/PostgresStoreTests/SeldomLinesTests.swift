import Testing

@testable import PostgresStore

struct SeldomLinesTests {
    @Test func ofEachKindOneIsToldInSomeSecondsWithHowManyWereLeftOut() {
        var lines = SeldomLines()
        let start = ContinuousClock.now
        #expect(lines.leftOut(of: "a", at: start) == 0)
        #expect(lines.leftOut(of: "a", at: start + .seconds(1)) == nil && lines.leftOut(of: "a", at: start + .seconds(2)) == nil)
        #expect(lines.leftOut(of: "b", at: start + .seconds(2)) == 0, "another kind")
        #expect(lines.leftOut(of: "a", at: start + SeldomLines.pause) == 2)
        #expect(lines.leftOut(of: "a", at: start + SeldomLines.pause * 2) == 0)
    }
}
