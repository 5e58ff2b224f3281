public import Push

/// What one host of a database's address says of itself, to the role that nodes have.
public struct DatabaseHost: Sendable {
    /// As the address names it, with its port where that does, and the numeric address where the name leads to several servers.
    public internal(set) var name: String
    /// What came of asking it.
    public let answer: Answer

    /// ``Standing``, or why it could not be asked.
    public enum Answer: Sendable {
        case standing(Standing)
        case refused(Refusal)
    }

    /// Why it could not be asked.
    public struct Refusal: Sendable {
        /// With what to do, where that is known.
        public let text: BilingualText
        /// What kind of reason that is.
        public let cause: Cause

        /// What a reason has to do with.
        public enum Cause: Sendable {
            /// No host was asked: the password's file cannot be read.
            case password
            /// It knows no such role, password or database, or does not let it in from here.
            case access
            /// Any other.
            case other
        }
    }

    /// How a server of PostgreSQL is set up, and how it fares.
    public struct Standing: Sendable {
        /// 150018 is 15.18.
        public var version: Int
        /// Which cluster it is a copy of: a primary and its standbys have the same.
        public var cluster: Int64
        /// When this server was started, in microseconds of its clock: two names of one server tell the same.
        public var started: Int64
        /// Of one that takes writes: it has a higher one after each promotion.
        public var timeline: Int
        /// How far its log of writes reaches, in bytes: what is written, or, of a standby, what it has received.
        public var position: Int64
        /// `nil`: it takes writes.
        public var following: Following?
        /// How many sessions it has room for.
        public var connections: Connections
        /// Whether its sessions only read unless they say otherwise (`default_transaction_read_only`), so that it is none for a
        /// node.
        public var onlyReads: Bool
        /// `synchronous_standby_names`.
        public var standbyNames: String
        /// `synchronous_commit`, as a session of this role has it.
        public var commit: String
        /// Whether a commit of this role waits for a standby, and has for a second.
        public var waitsForStandby: Bool
        /// Whether none of the standbys that are connected to it is one that commits wait for; `nil` where the role may not know.
        public var isWithoutSync: Bool?
        /// How many standbys, or other programs that read the log, are connected to it; `nil` where it does not tell.
        public var readers: Int?
        /// How far its clock is ahead of this machine's, in milliseconds, and by how much that may be wrong.
        public var clock: (ahead: Int64, within: Int64)

        /// Whether it only follows another one.
        public var isStandby: Bool { following != nil }

        /// Whether two names lead to one server.
        public func isSameServer(as other: Standing) -> Bool { cluster == other.cluster && started == other.started }
    }

    /// How a standby follows.
    public struct Following: Sendable {
        /// Whether it has a connection to a server, or tries to have one.
        public var isConnected: Bool
        /// How many bytes it lacks of what the primary had seconds before; 0 where it has them all, or nobody could compare.
        public var missing: Int64 = 0
        /// Whether it has received or replayed anything in that time.
        public var isMoving = false
        /// Whether it has more than the primary, which no standby of it can have.
        public var isAhead = false
    }

    /// How many sessions a server has room for.
    public struct Connections: Sendable {
        /// `max_connections`.
        public var most: Int
        /// How many of them are for whoever is no superuser.
        public var usable: Int
        /// The role's CONNECTION LIMIT; `nil`: none.
        public var ofRole: Int?
        /// The database's CONNECTION LIMIT; `nil`: none.
        public var ofDatabase: Int?
        /// How many are in use, whoever has them.
        public var used: Int
        /// How many of those are this role's, the one that asks among them.
        public var own: Int

        /// How many this role could have, beside what others have.
        public var free: Int { max(0, usable - max(0, used - own)) }
    }

    /// It could be asked.
    public var standing: Standing? { if case .standing(let standing) = answer { standing } else { nil } }
}
