internal import Postgres

/// What a change of the directory has still to do when it has taken effect: a row of the table `job`.
///
/// Of what holds between two slices see the embedded store's `FollowUp`: it is the same, whichever node does them.
package struct Job: Sendable {
    /// The numbers that stand in the table.
    package enum Kind: Int32, Sendable {
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

    var front: JobQueue.Front { JobQueue.Front(number: number, place: place) }
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

/// The first jobs of the table.
struct JobQueue {
    /// How far the first of all has come.
    struct Front: Hashable {
        let number: Int64
        let place: Int64
    }

    private(set) var front: Front?
    /// Those before the first one that only a later version knows, as they are done in their order.
    private(set) var jobs: [Job] = []

    /// The rows of `jobs_1`.
    init(_ rows: PostgresRows) throws(PostgresShapeError) {
        guard rows.count > 0 else { return }
        front = Front(number: try rows.present8(0, 0), place: try rows.present8(0, 5))
        for row in 0..<rows.count {
            guard let job = try Job(rows, row) else { break }
            jobs.append(job)
        }
    }

    /// Something is to be done first that a node of a later version has left.
    var isBeyond: Bool { front != nil && jobs.isEmpty }
}

/// What went wrong with the first of the jobs, as far as it is its own fault. While it stands there no device and no organisation
/// can be changed: so it is given up in the end.
struct JobFaults {
    /// One that is refused is tried five times; one that is not done in time may be so because of others, and is tried for
    /// minutes.
    private enum Weight {
        static let refused = 4
        static let late = 1
        static let most = 20
    }

    private var front: JobQueue.Front?
    private var weight = 0

    /// Whether something went wrong with it.
    func isSuspect(_ job: Job) -> Bool { front == job.front && weight > 0 }

    /// Whether it was tried often enough.
    func isHopeless(_ job: Job) -> Bool { front == job.front && weight >= Weight.most }

    /// A call for it was not answered with what it should be. That there is no database is nobody's fault.
    mutating func note(_ outcome: PostgresOutcome, of job: Job) {
        switch outcome {
        case .rows, .unknown, .unavailable: return
        case .tooLarge: add(Weight.refused, of: job)
        case .failed(let error) where error.state == .queryCanceled: add(Weight.late, of: job)
        case .failed(let error): if error.state.blamesTheCall { add(Weight.refused, of: job) }
        }
    }

    /// What was read for it makes no sense.
    mutating func noteShape(of job: Job) { add(Weight.refused, of: job) }

    private mutating func add(_ more: Int, of job: Job) {
        if front != job.front { (front, weight) = (job.front, 0) }
        weight += more
    }
}

extension SQLState {
    /// Whether it tells of what was called, and would again: wrong data, what breaks a constraint, what there is not, or a fault
    /// of a function; and not of the server's state, or of what others did at the time.
    fileprivate var blamesTheCall: Bool {
        ["21", "22", "23", "42", "54", "P0", "XX"].contains(self.class)
    }
}
