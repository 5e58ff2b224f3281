internal import JSON
internal import Push

extension JSONWriter {
    /// Writes how far an import is. Failing lines are told once there are any.
    mutating func value(_ report: ImportReport, in language: Language) {
        object { json in
            json.member("import_id", report.id.text)
            json.member("state", report.state.rawValue)
            json.member("lines", report.lines)
            json.member("done", report.tally.done)
            json.members(of: report.tally)
            json.member("started_at", report.startedAt)
            if let endedAt = report.endedAt { json.member("ended_at", endedAt) }
            if let timeLeft = report.timeLeft { json.member("time_left", timeLeft) }
            if !report.failures.isEmpty { json.member(failures: report.failures, in: language) }
        }
    }

    /// Writes what became of an import that is answered at once.
    mutating func value(_ tally: ImportTally, failures: [LineFailure], in language: Language) {
        object { json in
            json.members(of: tally)
            json.member(failures: failures, in: language)
        }
    }

    private mutating func members(of tally: ImportTally) {
        member("created", tally.created)
        member("updated", tally.updated)
        member("failed", tally.failed)
    }

    private mutating func member(failures: [LineFailure], in language: Language) {
        key("failures")
        array { json in
            for failure in failures {
                json.object { json in
                    json.member("line", failure.line)
                    json.member("error_code", failure.code.rawValue)
                    json.member("error_msg", failure.message.text(in: language))
                    json.member("field", ifPresent: failure.field)
                }
            }
        }
    }
}
