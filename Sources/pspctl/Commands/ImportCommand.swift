import ArgumentParser
import Foundation
import JSON

/// `pspctl import`
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Register many organisations, devices and apps from a file.",
        discussion: """
            The file is UTF-8, in one of two forms. JSON: an object a line, with "kind" (org, device or app), "id" and the fields \
            of that kind.

              {"kind":"org","id":"police","name":"Police"}
              {"kind":"device","id":"phone-1","platform":"android","org_id":"police","secret":"…"}

            CSV: the first line names the columns, of kind, id, platform, org_id, user_id, test, secret, name, parent_id, \
            interfaces, master_secret, disabled; without kind all are devices. Fields with commas stand in quotes, an empty one \
            is left out.

              id,platform,org_id,user_id
              phone-1,android,police,officer-7

            Lines apply in order, each alone: one that is refused does not touch its neighbours, and importing the same file \
            again changes nothing. A new device or app needs its secret: --secrets makes one for each device line that has none, \
            also of a device that exists already, and keeps it in a new file.

            A server that needs longer goes on by itself; this command follows it, and may be interrupted. See pspctl imports.

            EXAMPLES
              pspctl import devices.ndjson
              pspctl import devices.csv --secrets secrets.csv
              generate | pspctl import -
            """)

    @Argument(help: ArgumentHelp("The file; - is standard input.", valueName: "file"))
    var file: String

    @Option(
        help: ArgumentHelp("Make secrets for devices that have none, and keep them in this new file (0600).", valueName: "file"))
    var secrets: String?

    @Flag(help: "Do not wait for an import that the server goes on with: print its number.")
    var detach = false

    @OptionGroup(title: "Server")
    var server: ServerOptions

    func run() async throws {
        let client = try server.adminClient()
        let input = try ImportFile(file)
        let madeSecrets = try secrets.map { path throws(Failure) in try DeviceSecrets(newFile: path) }
        var batches = try ImportBatches(TextLines(of: file, reading: input.read), of: file) { line in
            madeSecrets?.complete(line) ?? line
        }
        var result = ImportResult()
        let progress = Progress(isSilent: server.json)
        while let batch = try batches.next() {
            try madeSecrets?.write()
            var report = try await client.send(Call(.post, ["psp", "admin", "import"], body: batch.bytes)).data
            if !detach {
                report = try await ImportFollower(client: client).end(of: report) { report in
                    progress.show(input.fraction(ImportFollower.fraction(report)), ImportFollower.text(report))
                }
            }
            result.add(report, of: batch)
            input.batchEnded()
        }
        progress.clear()
        try madeSecrets?.write()
        if server.json { Output.json(result.json) } else { print(result, madeSecrets) }
        guard result.isWhole else { throw ExitCode.failure }
    }

    private func print(_ result: ImportResult, _ secrets: DeviceSecrets?) {
        for failure in result.failures { Output.error("\(file):\(failure)") }
        if result.failed > result.failures.count {
            Output.error("… and \(result.failed - result.failures.count) more failed lines")
        }
        if result.isLeft { Output.error("the server has left the import \(result.numbers.joined(separator: ", ")): see its log") }
        if let secrets { Output.error("\(secrets.count) secrets are in \(secrets.path)") }
        Swift.print(result.summary)
        if detach {
            for number in result.numbers { Swift.print("import \(number) goes on: pspctl imports \(number)") }
        }
    }
}
