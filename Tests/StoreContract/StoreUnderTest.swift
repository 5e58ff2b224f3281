public import Push

/// How a store ends before it is opened again.
public enum Ending: Sendable {
    /// In good order.
    case close
    /// Every process of it ends at this moment, without a word.
    case crash
}

/// What a store's tests bring of it: two ports, a clock, a restart. The suite knows no more of any store.
public protocol StoreUnderTest: AnyObject, Sendable {
    /// A new port. A store of several nodes gives it at the node of that number, 0 or 1; any other has all its ports in one
    /// place.
    func port(at node: Int, for mailbox: any Mailbox) -> any StorePort

    /// What that node is called.
    func name(ofNode node: Int) -> NodeName

    /// What the wall clock says, in Unix milliseconds.
    var now: Int64 { get async throws }

    /// Time passes.
    func advance(by milliseconds: Int64) async throws

    /// Somebody sets the wall clock, ahead or back; no time passes.
    func step(by milliseconds: Int64) async throws

    /// Cuts every node off from its database, without a word, or heals that.
    func cutOff(_ isCutOff: Bool)

    /// Ends the store in good order; a second time it does nothing.
    func close()

    /// Opens it again after an ending, with what is left then. Ports are made anew.
    func reopen(after ending: Ending) async throws

    /// Whether what follows from a change of the directory is held back between its slices, where a store works in slices.
    func holdSlices(_ areHeld: Bool)

    /// Whether a slice is held back now.
    var isHoldingSlice: Bool { get }

    /// Lets one slice go while they are held back.
    func letSliceGo()

    /// What it finds wrong with itself while nobody asks anything of it.
    var complaints: [String] { get async throws }
}

extension StoreUnderTest {
    /// Where it is on the same machine there is nothing to be cut off from.
    public func cutOff(_ isCutOff: Bool) {}

    /// Nothing to hold, where a store does everything at once.
    public func holdSlices(_ areHeld: Bool) {}
    /// None.
    public var isHoldingSlice: Bool { false }
    /// There is none.
    public func letSliceGo() {}

    /// None, where a store does not look.
    public var complaints: [String] { get async throws { [] } }
}

/// A kind of store that the suite judges: an argument of its tests, so that a failure names it.
public struct StoreKind: Sendable, CustomStringConvertible {
    /// As failures name it.
    public let name: String
    /// What it does not claim, and why.
    public let unclaimed: [Capability: String]
    /// How soon every port counts what another was told, where it does not share its facts with it at once.
    public let longestUntilCounted: Duration
    private let make: @Sendable (UInt64) async throws -> any StoreUnderTest

    /// - Parameters:
    ///   - longestUntilCounted: a second, as the interface says, unless the store is under stress.
    ///   - make: makes an empty store. By the number it may choose sizes and times that its callers do not see, so that many
    ///     numbers try many of them.
    public init(
        _ name: String, unclaimed: [Capability: String] = [:], longestUntilCounted: Duration = .seconds(1),
        make: @escaping @Sendable (UInt64) async throws -> any StoreUnderTest
    ) {
        self.name = name
        self.unclaimed = unclaimed
        self.longestUntilCounted = longestUntilCounted
        self.make = make
    }

    /// Whether a test's port is that of two nodes in turn.
    public private(set) var isInTurn = false

    /// The same store, asked by two nodes in turn: every test of the suite is one of both then, whether it knows of two or not.
    public var inTurn: StoreKind {
        var kind = self
        kind.isInTurn = true
        return kind
    }

    /// Its name.
    public var description: String { isInTurn ? "\(name), by two nodes in turn" : name }

    /// Whether it claims all of these.
    public func claims(_ needed: [Capability]) -> Bool { needed.allSatisfy { unclaimed[$0] == nil } }

    /// An empty store with two loops.
    public func open(variation: UInt64 = 0) async throws -> ContractFixture {
        try await ContractFixture(try await make(variation), self)
    }
}
