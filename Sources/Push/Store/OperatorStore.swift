/// Operators and their sessions. Few, and asked at every request's head: so the operators' front holds all of them, from
/// ``DirectorySnapshot`` and the feed, and only changes go to the store.
public protocol OperatorStore: Sendable {
    /// Returns when every loop has applied it.
    /// - Throws: `refused` with 2011 for who may not, 2102, 2203 (scope), 2209 (operator, session), 2005 where the password that
    ///   was shown is not the operator's any more.
    func apply(_ change: OperatorChange, by call: OperatorCall) async throws(StoreError) -> ChangeResult
}
