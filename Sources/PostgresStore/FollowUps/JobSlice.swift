internal import Postgres
internal import StoreCore

/// What one slice of jobs writes, as `follow_up_1` takes it.
struct JobSlice {
    /// A bitmap of the table `mark`, or the device of a unicast.
    struct MarkKey: Hashable {
        let task: UInt64
        let mark: TaskReceipts.Mark
        let chunk: Int32
    }

    /// A task that is withdrawn from a device, unless the device has acknowledged it.
    struct Withdrawal {
        let task: UInt64
        let chunk: Int32
        let low: Int32
        /// `nil` for the device of a unicast.
        let bits: [UInt8]?
    }

    /// What comes before the jobs that wait.
    struct NewJob {
        let position: UInt64
        let kind: Job.Kind
        let subject: Int64
        let object: Int64
        var place: Int64 = 0
    }

    /// Who joined gets a configuration.
    struct Reference {
        let task: UInt64
        let target: TargetKey
        let within: UInt32?
    }

    /// The jobs that it is of, and where they stand then; `nil`: done.
    private(set) var jobs: [(job: Job, place: Int64?)] = []
    var next: [NewJob] = []
    var marks: [(key: MarkKey, bits: [UInt8]?)] = []
    var withdrawals: [Withdrawal] = []
    var references: [Reference] = []
    var cancelled: [UInt64] = []

    /// A slice that ends some jobs.
    init(ending jobs: [Job]) { self.jobs = jobs.map { ($0, nil) } }

    /// A slice of one job.
    init(_ job: Job) { jobs = [(job, nil)] }

    /// The job goes on from there with the next slice.
    mutating func goOn(from place: Int64) { jobs[0].place = place }

    /// The call's arguments.
    func append(to arguments: inout PostgresArguments) {
        arguments.append(each: jobs, int8: { $0.job.number })
        arguments.append(each: jobs, int8: { $0.job.place })
        arguments.append(each: jobs, int8: { $0.place })
        arguments.append(each: next, int8: { Int64(bitPattern: $0.position) })
        arguments.append(each: next, int4: { $0.kind.rawValue })
        arguments.append(each: next, int8: { $0.subject })
        arguments.append(each: next, int8: { $0.object })
        arguments.append(each: next, int8: { $0.place })
        arguments.append(each: marks, int8: { Int64(bitPattern: $0.key.task) })
        arguments.append(each: marks, int4: { Int32($0.key.mark.rawValue) })
        arguments.append(each: marks, int4: { $0.key.chunk })
        arguments.append(each: marks, bytea: { $0.bits })
        arguments.append(each: withdrawals, int8: { Int64(bitPattern: $0.task) })
        arguments.append(each: withdrawals, int4: { $0.chunk })
        arguments.append(each: withdrawals, int4: { $0.low })
        arguments.append(each: withdrawals, bytea: { $0.bits })
        arguments.append(each: references, int8: { Int64(bitPattern: $0.task) })
        arguments.append(each: references, int8: { $0.target.raw })
        arguments.append(each: references, int4: { $0.within.map { Int32(bitPattern: $0) } })
        arguments.append(int8Array: cancelled.map { Int64(bitPattern: $0) })
    }
}
