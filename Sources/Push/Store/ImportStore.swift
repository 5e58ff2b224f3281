/// Imports: many changes of the directory at once, as a text of lines. The store keeps the text first and applies it then, by
/// itself, whoever hangs up and over a restart.
///
/// ```swift
/// try await store.keep(first, of: id)
/// try await store.keep(second, of: id)
/// let report = try await store.run(id, last: third, patience: .seconds(3), by: call)
/// ```
public protocol ImportStore: Sendable {
    /// Keeps a part of an import's text. The parts come in order, each when the one before it is kept; the first one begins the
    /// import. What is kept of one that is never run goes with ``abandon(_:)``, and at the next start.
    func keep(_ part: ImportPart, of id: ImportID) async throws(StoreError)

    /// Keeps the last part and lets the import begin. From the moment at which both are on the disk it goes on whatever happens:
    /// each line is applied once, in order and alone, so that one that is refused does not touch its neighbours. Imports follow
    /// each other in the order of these calls, and give way to everything else.
    ///
    /// Returns when the import has ended and every loop has applied it, and that is the only report of it; or after `patience`,
    /// or when the store closes, with how far it is: then ``importReport(_:)`` tells the rest.
    func run(
        _ id: ImportID, last part: ImportPart, patience: Duration, by call: OperatorCall
    ) async throws(StoreError) -> ImportReport

    /// Drops what is kept of an import that will not be run.
    func abandon(_ id: ImportID)

    /// How far an import is. Of those that have ended a store remembers the last ones, a hundred at least.
    /// - Parameter operator: who must have begun it; `nil`: whoever.
    /// - Throws: `refused` with 2204.
    func importReport(_ id: ImportID, by operator: OperatorNumber?) async throws(StoreError) -> ImportReport

    /// The imports that go on and those that have ended, newest first, without their failing lines.
    func imports(
        by operator: OperatorNumber?, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<ImportReport>
}

extension ImportStore {
    /// Whoever began it.
    public func importReport(_ id: ImportID) async throws(StoreError) -> ImportReport { try await importReport(id, by: nil) }

    /// Whoever began them.
    public func imports(after: PageToken?, limit: Int) async throws(StoreError) -> Page<ImportReport> {
        try await imports(by: nil, after: after, limit: limit)
    }
}
