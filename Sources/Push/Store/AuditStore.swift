/// The audit log: what operators did, and how often whom was refused.
///
/// What an operator changes is recorded by the call that changes it (``Directory/apply(_:by:)`` and others that take an
/// ``OperatorCall``), in the same transaction: nothing is changed without its entry. One that is refused has one too, as far
/// as ``AuditThrottle`` admits it.
/// Everything else comes by ``record(_:)``.
public protocol AuditStore: Sendable {
    /// Records what changes nothing in the store. Nobody waits for it: where it cannot be written, some are remembered until it
    /// can, and of the rest an entry of the server's tells how many they were.
    func record(_ entry: AuditEntry)

    /// Adds refusals to those that are counted already.
    func count(_ refusals: [RefusalCount]) async throws(StoreError)

    /// Entries that the call may see, newest first: all, or where it is confined to an organisation, its own with the same scope,
    /// and those whose target was in the scope when they were written. A page looks at a bounded number of entries, so that it
    /// may hold fewer than asked, even none.
    func audit(
        _ filter: AuditFilter, after: PageToken?, limit: Int, by call: OperatorCall
    ) async throws(StoreError) -> Page<AuditRecord>

    /// Counts of refusals, newest first.
    func refusals(_ filter: RefusalFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<RefusalCount>
}
