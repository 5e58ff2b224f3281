public import Push

/// Something in a shared store that contradicts itself.
public struct StoreFinding: Sendable, Hashable {
    /// The table in which it is.
    public let table: String
    /// Which row, or what of it.
    public let row: String
    /// What is wrong, in a sentence.
    public let problem: BilingualText

    /// - Parameters:
    ///   - row: as people look it up: `seq 17`.
    ///   - problem: `%1`, `%2`… stand for `values`.
    init(_ table: String, _ row: String, _ problem: BilingualText, _ values: [String] = []) {
        self.table = table
        self.row = row
        var (chinese, english) = (problem.chinese, problem.english)
        for (index, value) in values.enumerated() {
            chinese = chinese.replacing("%\(index + 1)", with: value)
            english = english.replacing("%\(index + 1)", with: value)
        }
        self.problem = BilingualText(chinese, english)
    }
}
