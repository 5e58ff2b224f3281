/// A store as the server holds it: it gives each loop a port, and ends.
///
/// How it is opened is each store's own affair. From then on the server knows no other than this protocol; the contract suite
/// judges whoever implements it.
public protocol Store: AnyObject, Sendable {
    /// A loop's own port. One a loop, for as long as the store is open.
    func port(for mailbox: any Mailbox) -> any StorePort

    /// How it fares. Waits for nobody, least of all for a store that stands still.
    var status: StoreStatus { get }

    /// What it takes of this machine's disk; `nil` where it is kept elsewhere, or the system does not tell. Asks the system, so
    /// it is not for a loop.
    var storage: StorageUse? { get }

    /// How long single pieces of work have kept everybody else from changing the store.
    var holdTimes: HoldTimes { get }

    /// How this process stands to those that share the store; `nil` where no other can have it. Waits for nobody.
    var standing: NodeStanding? { get }

    /// The nodes that share it and live, or have ended without leaving it; `nil` where no other can have it.
    /// - Throws: `unavailable` where the store cannot be asked.
    func nodes() async throws(StoreError) -> [NodeReport]?

    /// This process is about to end: those that share the store tell so when they are asked for the nodes. Returns at once.
    func announceEnd()

    /// Decides what was handed in, then ends; every call that still waits is answered, and what is asked afterwards is refused as
    /// unavailable. Blocks the calling thread, and the loops must go on until it returns: answers are posted to them.
    ///
    /// It returns in bounded time. A store whose database is another machine does not wait for it for ever: what it cannot learn
    /// is answered as unknown.
    /// - Returns: whether everything that it was told is kept. Acknowledgements that are not mean that devices get those messages
    ///   again, and counts too low.
    @discardableResult
    func close() -> Bool
}

extension Store {
    /// None: no other process has the store.
    public var standing: NodeStanding? { nil }

    /// Nobody to be told.
    public func announceEnd() {}

    /// None: no other process has the store.
    public func nodes() async throws(StoreError) -> [NodeReport]? { nil }
}
