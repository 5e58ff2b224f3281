/// What is given up, since it would fail however often it were tried: see ``SQLiteError/Effect/fault``. The operator is told;
/// what each of them means for whoever asked is said where it is given up. Writer only.
final class Faults {
    private let lines: RareLines

    init(log: @escaping @Sendable (String) -> Void) { lines = RareLines(log) }

    /// - Parameter what: was given up.
    func tell(_ what: String, _ error: SQLiteError) { lines.tell("\(what): \(error)") }

    /// Does something that may be given up, so that it keeps nothing else from being done.
    /// - Parameter loss: what it means for whoever reads the log.
    /// - Returns: whether it was done.
    @inline(__always)
    func spare(
        _ loss: @autoclosure () -> String, _ body: () throws(SQLiteError) -> Void
    ) throws(SQLiteError) -> Bool {
        do throws(SQLiteError) {
            try body()
            return true
        } catch  where error.effect == .fault {
            tell(loss(), error)
            return false
        }
    }
}
