/// Tells the operator of what was given up, since it would have failed however often it were tried: see
/// ``SQLiteError/Effect/fault``. What each of them means for whoever asked is said where it is told. Writer only.
final class Faults {
    private let lines: RareLines

    init(log: @escaping @Sendable (String) -> Void) { lines = RareLines(log) }

    /// - Parameter what: was given up.
    func tell(_ what: String, _ error: SQLiteError) { lines.tell("\(what): \(error)") }
}
