public import Push

/// What one host of a database's address says of itself, to the role that nodes have.
public struct DatabaseHost: Sendable {
    /// As the address names it, with its port where that does.
    public let name: String
    /// ``Standing``, or why there was none to be had, and what to do.
    public let answer: Answer

    /// What came of asking it.
    public enum Answer: Sendable {
        case standing(Standing)
        case refused(BilingualText)
    }

    /// How a server of PostgreSQL is set up, and how it fares.
    public struct Standing: Sendable {
        /// 150018 is 15.18.
        public var version: Int
        /// Which cluster it is a copy of: a primary and its standbys have the same.
        public var cluster: Int64
        /// Whether it only follows another one.
        public var isStandby: Bool
        /// Whether a standby has a connection to the server that it follows.
        public var isReceiving: Bool
        /// How far its log of writes reaches, in bytes.
        public var position: Int64
        /// `max_connections`.
        public var connections: Int
        /// How many of them this role may have: fewer by what is kept for superusers, and by a CONNECTION LIMIT of the role or of
        /// the database.
        public var ownConnections: Int
        /// How many are in use, whoever has them.
        public var usedConnections: Int
        /// `synchronous_standby_names`.
        public var standbyNames: String
        /// `synchronous_commit`, as a session of this role has it.
        public var commit: String
        /// How far its clock is ahead of this machine's, in milliseconds, and by how much that may be wrong.
        public var clock: (ahead: Int64, within: Int64)
    }

    /// It could be asked.
    public var standing: Standing? { if case .standing(let standing) = answer { standing } else { nil } }
}
