public import Base

/// How often somebody was refused within a minute.
public struct RefusalCount: Hashable, Sendable {
    /// What is counted together.
    public struct Key: Hashable, Sendable {
        /// Who was asked.
        public let listener: RefusalListener
        /// Whom the peer claims to be, fit to be shown: nobody has proved anything by it. `nil`: it does not say.
        public let name: ExactText?
        /// From where; an IPv6 address stands for all of its /64, as whoever has one there has them all.
        public let client: IPAddress?
        /// The number of the error; `nil`: what found no room of its own, of whomever.
        public let code: Int?

        /// As much of a claimed name as is kept, in bytes.
        private static let longest = 64

        /// Refusals of that kind.
        public init(_ listener: RefusalListener, name: String?, client: IPAddress?, code: Int) {
            self.listener = listener
            self.name = name.map { ExactText(Excerpt.shown($0, bytes: Self.longest)) }
            self.client = client?.network
            self.code = code
        }

        /// Everything of a listener that finds no room of its own.
        public init(othersOf listener: RefusalListener) {
            self.listener = listener
            (name, client, code) = (nil, nil, nil)
        }

        /// A key that is kept already.
        public init(_ listener: RefusalListener, kept name: ExactText?, client: IPAddress?, code: Int?) {
            self.listener = listener
            self.name = name
            self.client = client
            self.code = code
        }
    }

    /// Whom, and for what.
    public let key: Key
    /// The minute: by store time, in minutes, when it is handed to a store; when it is shown, its beginning in Unix milliseconds.
    public let minute: Int64
    /// How often.
    public var count: Int64

    /// A count.
    public init(_ key: Key, minute: Int64, count: Int64) {
        self.key = key
        self.minute = minute
        self.count = count
    }
}

/// Who was asked.
public enum RefusalListener: Int, Hashable, Sendable, CaseIterable {
    case callers
    case operators

    /// As the interface has it.
    public var name: String {
        switch self {
        case .callers: "callers"
        case .operators: "operators"
        }
    }
}

/// Which counts are listed.
public struct RefusalFilter: Hashable, Sendable {
    /// Of that claimed name.
    public var name: ExactText?
    /// From there.
    public var client: IPAddress?
    /// With that error.
    public var code: Int?
    /// `from` ≤ beginning of the minute < `to`, Unix milliseconds.
    public var from: Int64?
    /// The end of that.
    public var to: Int64?

    /// All of them.
    public init() {}
}

extension RefusalFilter {
    /// Whether a count as it is shown is to be listed.
    public func matches(_ count: RefusalCount) -> Bool {
        (name == nil || count.key.name == name) && (client.map { $0.network == count.key.client } ?? true)
            && (code == nil || count.key.code == code) && count.minute >= from ?? .min && count.minute < to ?? .max
    }
}
