/// How much an app may push. Repeats that are recognised count nothing.
public struct PushQuota: Hashable, Sendable {
    /// Pushes a second on the average, and at most so many at once; `nil`: no bound.
    public var perSecond: Int?
    /// Pushes that are stored in a day of UTC; `nil`: no bound.
    public var perDay: Int?

    /// What may be set.
    public static let allowed = 1...1_000_000_000

    /// No bound, unless one is given.
    public init(perSecond: Int? = nil, perDay: Int? = nil) { (self.perSecond, self.perDay) = (perSecond, perDay) }

    /// What holds for an app that says `own`.
    public func overridden(by own: PushQuota) -> PushQuota {
        PushQuota(perSecond: own.perSecond ?? perSecond, perDay: own.perDay ?? perDay)
    }

    /// A bound that an app is over.
    public enum Bound: Hashable, Sendable {
        case perSecond(Int)
        case perDay(Int)

        /// How many pushes.
        public var count: Int {
            switch self {
            case .perSecond(let count), .perDay(let count): count
            }
        }
        /// In how many seconds.
        public var seconds: Int {
            switch self {
            case .perSecond: 1;
            case .perDay: 86_400
            }
        }
    }
}
