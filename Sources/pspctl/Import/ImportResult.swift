import JSON
import Push

/// What became of the lines of a file, summed over the calls that it took.
struct ImportResult {
    /// A line that was refused.
    struct LineFailure: Error, Equatable, CustomStringConvertible {
        /// In the file, from 1.
        let line: Int
        let code: Int
        let text: String
        let field: String?

        var description: String {
            say("\(line): refused with \(code): \(Output.printable(text))", "\(line) 行：被拒绝，\(code)：\(Output.printable(text))")
                + (field.map { " [\(Output.printable($0))]" } ?? "")
        }
    }

    private(set) var created = 0
    private(set) var updated = 0
    private(set) var failed = 0
    /// Imports that the server goes on with, or went on with.
    private(set) var numbers: [String] = []
    /// The server has not done all of it yet.
    private(set) var isRunning = false
    /// An import was left by the server.
    private(set) var isLeft = false
    /// The first ones: the server names some of each call.
    private(set) var failures: [LineFailure] = []

    /// Lines that could not be handed in: the first ones, and how many.
    private var faults: [LineFailure] = []
    private(set) var faultCount = 0

    /// Devices of the file that had a secret already, and were given none.
    var keptSecrets: Set<String> = []

    /// Whether `failures` has every line that was not applied.
    private(set) var namesAllFailures = true

    static let mostFailures = 100

    /// Nothing was there to be imported.
    private(set) var isEmpty = true

    /// Whether every line was applied.
    var isWhole: Bool { failed == 0 && !isLeft }

    /// Adds what became of one batch, or as far as it is.
    mutating func add(_ data: JSONValue, of batch: ImportBatches.Batch) {
        isEmpty = false
        if let number = data["import_id"]?.string { numbers.append(number) }
        if data["state"]?.string == "failed" { isLeft = true }
        if data["state"]?.string == "running" { isRunning = true }
        created += Int(data["created"]?.int64 ?? 0)
        updated += Int(data["updated"]?.int64 ?? 0)
        failed += Int(data["failed"]?.int64 ?? 0)
        let named = data["failures"]?.count ?? 0
        if isLeft || Int64(named) < data["failed"]?.int64 ?? 0 { namesAllFailures = false }
        guard let lines = data["failures"] else { return }
        if failures.count + named > ImportResult.mostFailures { namesAllFailures = false }
        for line in lines.elements where failures.count < ImportResult.mostFailures {
            failures.append(
                LineFailure(
                    line: batch.firstLine - 1 + Int(line["line"]?.int64 ?? 1), code: Int(line["error_code"]?.int64 ?? 0),
                    text: line["error_msg"]?.string ?? "", field: line["field"]?.string))
        }
    }

    /// Adds what of a batch was not even handed in.
    mutating func add(faultsOf batch: ImportBatches.Batch) {
        guard batch.faultCount > 0 else { return }
        isEmpty = false
        failed += batch.faultCount
        faultCount += batch.faultCount
        faults += batch.faults.prefix(ImportResult.mostFailures - faults.count)
    }

    /// All lines that are named, in their order.
    var namedFailures: [LineFailure] { (failures + faults).sorted { $0.line < $1.line } }

    /// Whether a new device was refused for having no secret.
    var lacksSecrets: Bool {
        failures.contains { $0.code == ErrorCode.missingField.rawValue && $0.field == "secret" }
    }

    var summary: String {
        say("\(created) created, \(updated) updated, \(failed) failed", "新建 \(created)，更新 \(updated)，失败 \(failed)")
    }

    var json: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.member("created", created)
            json.member("updated", updated)
            json.member("failed", failed)
            if !numbers.isEmpty {
                json.key("import_ids")
                json.array { json in for number in numbers { json.value(number) } }
            }
            json.key("failures")
            json.array { json in
                for failure in namedFailures {
                    json.object { json in
                        json.member("line", failure.line)
                        json.member("error_code", failure.code)
                        json.member("error_msg", failure.text)
                        json.member("field", ifPresent: failure.field)
                    }
                }
            }
        }
        return json.bytes
    }
}
