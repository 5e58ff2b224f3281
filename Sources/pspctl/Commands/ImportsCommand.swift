import ArgumentParser
import JSON

/// `pspctl imports`
struct ImportsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "imports", abstract: "List imports that the server goes on with or has ended, or show one.",
        discussion: """
            EXAMPLES
              pspctl imports
              pspctl imports IMPORT_ID --follow
            """)

    @Argument(help: ArgumentHelp("Which one; all, if left out.", valueName: "id"))
    var id: String?

    @Flag(help: "Wait for its end.")
    var follow = false

    @OptionGroup var page: PageOptions

    @OptionGroup(title: "Server")
    var server: ServerOptions

    func validate() throws {
        guard !follow || id != nil else { throw ValidationError("--follow needs the import to follow.") }
    }

    private static let columns = [
        Column("IMPORT", "import_id"), Column("STATE", "state"), Column("LINES", "lines", isNumber: true),
        Column("DONE", "done", isNumber: true), Column("FAILED", "failed", isNumber: true), Column("STARTED", "started_at"),
        Column("ENDED", "ended_at"),
    ]

    func run() async throws {
        let client = try server.adminClient()
        guard let id else {
            let listing = Listing(client: client, path: ImportFollower.path(), query: [])
            return try await listing.print(Self.columns, page: page, json: server.json)
        }
        var report = try await client.send(Call(.get, ImportFollower.path(id))).data
        if follow {
            let progress = Progress(isSilent: server.json)
            report = try await ImportFollower(client: client).end(of: report) { report in
                progress.show(ImportFollower.fraction(report), ImportFollower.text(report))
            }
            progress.clear()
        }
        if server.json { Output.json(report.minified()) } else { print(report) }
    }

    private func print(_ report: JSONValue) {
        for line in Details.lines(of: report, hiding: ["failures"]) { Swift.print(line) }
        var result = ImportResult()
        result.add(report, of: ImportBatches.Batch(firstLine: 1))
        for failure in result.failures { Swift.print("line \(failure)") }
    }
}
