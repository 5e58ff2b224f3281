internal import Postgres
internal import Push

/// How far an import comes by a slice of its lines: written with what they do.
struct ImportProgress {
    let number: Int64
    /// The node that works on it.
    let node: Int32
    /// The last line that was applied before, and that is by now.
    let from: Int
    let to: Int
    let tally: ImportTally
    /// In microseconds.
    let took: Int64
    /// The first line of the part that is used up.
    let part: Int?
    /// Those that are told one by one.
    let failures: [LineFailure]
}

extension PostgresArguments {
    /// As `change_directory_1` takes it.
    mutating func append(progress: ImportProgress?) {
        append(int8: progress?.number)
        append(int4: progress?.node)
        append(int4: progress.map { Int32(clamping: $0.from) })
        append(int4: progress.map { Int32(clamping: $0.to) })
        append(int4: progress.map { Int32(clamping: $0.tally.created) })
        append(int4: progress.map { Int32(clamping: $0.tally.updated) })
        append(int4: progress.map { Int32(clamping: $0.tally.failed) })
        append(int8: progress?.took)
        append(int4: progress?.part.map { Int32(clamping: $0) })
        let failures = progress?.failures ?? []
        append(each: failures, int4: { Int32(clamping: $0.line) })
        append(each: failures, int4: { Int32($0.code.rawValue) })
        append(each: failures, text: { $0.field })
        append(each: failures, text: { $0.message.chinese })
        append(each: failures, text: { $0.message.english })
    }
}
