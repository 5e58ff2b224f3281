internal import Base
package import Push

// Where a list goes on whose items have numbers: after one of them, or before it.

extension PageToken {
    /// After that number, or before it.
    package init(_ number: Int64) { self.init(String(number)) }

    /// The number of a token, and 0 of none.
    /// - Throws: `refused` for what no list of numbers gave out.
    package static func number(_ token: PageToken?) throws(StoreError) -> Int64 {
        guard let token else { return 0 }
        guard let number = Int64(token.text), number >= 0 else { throw refusal(of: token) }
        return number
    }

    /// Nobody gave it out.
    package static func refusal(of token: PageToken) -> StoreError {
        .refused(Refusal(.invalidValue, field: "after", .expected(.pageToken, Excerpt(token.text))))
    }
}
