internal import Postgres

/// What a change of the directory has still to do when it has taken effect: a row of the table `job`.
///
/// Of what holds between two slices see the embedded store's `FollowUp`: it is the same, whichever node does them.
struct Job: Sendable {
    /// The numbers that stand in the table.
    enum Kind: Int32, Sendable {
        /// An organisation has come below others.
        case enter = 1
        /// Everybody below an organisation joins a configuration.
        case joinSubtree = 2
        /// A user's devices below an organisation join a configuration.
        case joinUser = 3
        /// A device joins what is for it, and was not for what it was before.
        case enterAll = 4
        /// A device joins a configuration.
        case joinDevice = 5
        /// What was pending for a device whose holder is gone is withdrawn.
        case withdraw = 6
        /// The same of what was pushed in test mode, for one that is no test device any more.
        case withdrawTests = 7
        /// The configurations of an organisation that is gone are cancelled.
        case cancelAll = 8

        /// Whether it matters what devices have acknowledged before the change.
        var withdraws: Bool { self == .withdraw || self == .withdrawTests }
    }

    let number: Int64
    /// At which the change took effect.
    let position: UInt64
    let kind: Kind
    let subject: Int64
    let object: Int64
    /// How far it has come; 0 at the beginning.
    let place: Int64
}

extension Job {
    /// A row of `jobs_1`; `nil` for a kind of a later version.
    init?(_ rows: PostgresRows, _ row: Int) throws(PostgresShapeError) {
        guard let kind = Kind(rawValue: try rows.present4(row, 2)) else { return nil }
        number = try rows.present8(row, 0)
        position = try rows.position(row, 1)
        self.kind = kind
        subject = try rows.present8(row, 3)
        object = try rows.present8(row, 4)
        place = try rows.present8(row, 5)
    }
}
