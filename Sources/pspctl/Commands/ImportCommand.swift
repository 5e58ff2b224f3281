import ArgumentParser
import Foundation
import JSON

/// `pspctl import`
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Register many organisations, devices and apps from a file.",
        discussion: """
            One JSON object a line, with "kind" (org, device or app), "id" and the fields of that kind. Lines apply in order, \
            each alone: one that is refused does not touch its neighbours, and importing the same file again changes nothing. A \
            new device or app needs its "secret" or "master_secret".

              {"kind":"org","id":"police","name":"Police"}
              {"kind":"device","id":"phone-1","platform":"android","org_id":"police","secret":"…"}

            EXAMPLES
              pspctl import devices.ndjson
              generate | pspctl import -
            """)

    @Argument(help: ArgumentHelp("The file; - is standard input.", valueName: "file"))
    var file: String

    @OptionGroup(title: "Server")
    var server: ServerOptions

    func run() async throws {
        let client = try server.adminClient()
        let input = try open()
        var batches = LineBatches { try input.read(upToCount: $0) }
        var result = ImportResult()
        let progress = Progress()
        while let batch = try nextBatch(&batches) {
            let reply = try await client.send(Call(.post, ["psp", "admin", "import"], body: batch.bytes))
            result.add(reply.data, of: batch)
            progress.show(size.map { Double(result.bytes) / Double($0) }, result.summary)
        }
        progress.clear()
        if server.json { Output.json(result.json) } else { print(result) }
        guard result.failed == 0 else { throw ExitCode.failure }
    }

    private func print(_ result: ImportResult) {
        for failure in result.failures { Output.error("\(file):\(failure)") }
        if result.failed > result.failures.count {
            Output.error("… and \(result.failed - result.failures.count) more failed lines")
        }
        Swift.print(result.summary)
    }

    private func open() throws(Failure) -> FileHandle {
        if file == "-" { return .standardInput }
        do {
            return try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
        } catch {
            throw .file(path: file, reason: "cannot be opened (\(error.localizedDescription))")
        }
    }

    private func nextBatch(_ batches: inout LineBatches) throws(Failure) -> LineBatches.Batch? {
        do {
            return try batches.next()
        } catch let failure as Failure {
            throw failure
        } catch {
            throw .file(path: file, reason: "cannot be read (\(error.localizedDescription))")
        }
    }

    /// In bytes; not known of a pipe.
    private var size: Int? {
        guard file != "-", let attributes = try? FileManager.default.attributesOfItem(atPath: file) else { return nil }
        guard attributes[.type] as? FileAttributeType == .typeRegular else { return nil }
        return attributes[.size] as? Int
    }
}
