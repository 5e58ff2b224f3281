import ArgumentParser
import JSON

// How findings are told.

extension Diagnosis {
    /// Tells people the findings, or a script what it has asked for.
    /// - Throws: the exit status, where something is to be fixed.
    static func tell(_ findings: [Finding], json: [UInt8]?) throws {
        if let json { Output.json(json) } else { for finding in findings { print(finding.line) } }
        if findings.contains(where: { $0.level == .fault }) { throw ExitCode(1) }
    }

    /// For scripts, where there is nothing beside the findings.
    static func json(_ findings: [Finding]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { write(findings, to: &$0) }
        return writer.bytes
    }

    /// For scripts, as the member `findings`.
    static func write(_ findings: [Finding], to json: inout JSONWriter) {
        json.key("findings")
        json.array { json in
            for finding in findings {
                json.object { json in
                    json.member("subject", finding.subject)
                    json.member("level", finding.level.rawValue)
                    json.member("text", finding.text)
                }
            }
        }
    }
}
