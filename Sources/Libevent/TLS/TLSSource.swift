internal import Base

/// Where listeners take the context of each new connection from: it can be replaced while they serve.
public final class TLSSource: Sendable {
    private let context: Locked<TLSContext>

    /// - Parameter context: what connections begin with until another one is put in its place.
    public init(_ context: TLSContext) { self.context = Locked(context) }

    /// What the next connection begins with.
    public var current: TLSContext { context.withLock { $0 } }

    /// The next connections begin with that one; those that are there keep theirs.
    public func replace(with context: TLSContext) { self.context.withLock { $0 = context } }
}
