internal import JSON
internal import Push

/// What an import has done so far.
struct ImportReport {
    /// The first failing lines are told one by one; the rest are counted.
    static let toldFailures = 100

    private(set) var created = 0
    private(set) var updated = 0
    private(set) var failed = 0
    private var failures: [(line: Int, refusal: Refusal)] = []

    /// Counts what became of one line, counted from 1.
    mutating func count(_ result: Result<ChangeResult, Refusal>, line: Int) {
        switch result {
        case .success(.created): created += 1
        case .success: updated += 1
        case .failure(let refusal):
            failed += 1
            if failures.count < Self.toldFailures { failures.append((line, refusal)) }
        }
    }

    /// Writes the report as members of the object at hand.
    func write(to json: inout JSONWriter, in language: Language) {
        json.member("created", created)
        json.member("updated", updated)
        json.member("failed", failed)
        json.key("failures")
        json.array { json in
            for failure in failures {
                json.object { json in
                    json.member("line", failure.line)
                    json.members(of: failure.refusal, in: language)
                }
            }
        }
    }
}
