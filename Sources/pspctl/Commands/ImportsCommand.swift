import ArgumentParser
import JSON

/// `pspctl imports`
struct ImportsCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "imports",
            abstract: say("List imports that the server goes on with or has ended, or show one.", "列出服务器正在进行或已结束的导入，或查看一个。"),
            discussion: HelpText.examples("pspctl imports", "pspctl imports IMPORT_ID --follow"))
    }

    @Argument(help: ArgumentHelp(say("The import's number; all, if left out.", "导入的编号，不给则列出全部。"), valueName: "id"))
    var id: String?

    @Flag(help: ArgumentHelp(say("Wait for its end.", "等待其结束。")))
    var follow = false

    @OptionGroup(title: say("Page", "分页"))
    var page: PageOptions

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    func validate() throws {
        guard !follow || id != nil else {
            throw ValidationError(say("--follow needs the import to follow.", "--follow 须给出导入的编号。"))
        }
    }

    private static var columns: [Column] {
        [
            Column(say("IMPORT", "导入"), "import_id"), Column(say("STATE", "状态"), "state"),
            Column(say("LINES", "行数"), "lines", isNumber: true),
            Column(say("DONE", "已完成"), "done", isNumber: true), Column(say("FAILED", "失败"), "failed", isNumber: true),
            Column(say("STARTED", "开始时间"), "started_at"),
            Column(say("ENDED", "结束时间"), "ended_at"),
        ]
    }

    private static var emptyListHint: String {
        say(
            "(imports that were done within 3 s are not listed: pspctl import has told their counts)",
            "（3 秒内完成的导入不在列表中：其计数已由 pspctl import 显示）")
    }

    func run() async throws {
        let client = try server.adminClient()
        guard let id else {
            let listing = Listing(client: client, path: ImportFollower.path(), query: [])
            let isEmpty = try await listing.print(Self.columns, page: page, json: server.json)
            if isEmpty && !server.json { Output.error(Self.emptyListHint) }
            return
        }
        var report = try await client.send(Call(.get, ImportFollower.path(id))).data
        if follow {
            let progress = Progress(isSilent: server.json)
            report = try await ImportFollower(client: client).end(of: report) { report in
                progress.show(ImportFollower.fraction(report), ImportFollower.text(report))
            }
            progress.clear()
        }
        var result = ImportResult()
        result.add(report, of: ImportBatches.Batch(firstLine: 1))
        if server.json { Output.json(report.minified()) } else { print(report, result) }
        // As `pspctl import` ends that has waited.
        guard !follow || result.isWhole else { throw ExitCode.failure }
    }

    private func print(_ report: JSONValue, _ result: ImportResult) {
        for line in Details.lines(of: report, hiding: ["failures"]) { Swift.print(line) }
        for failure in result.failures { Swift.print(say("line \(failure)", "第 \(failure)")) }
    }
}
