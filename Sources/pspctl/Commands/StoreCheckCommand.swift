import ArgumentParser
import JSON
import Postgres
import PostgresStore

/// `pspctl store check`
struct StoreCheckCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "check",
            abstract: say("Tell whether a store's content fits together.", "检查存储的内容是否前后一致。"),
            discussion: say(
                """
                Changes nothing, and servers may go on meanwhile. Of an embedded store it tells what pspctl check tells. Of a \
                shared one it reads all tables as of one moment and tells what contradicts itself: counts of organisations that \
                are not those of their devices, devices without a record of how far they are, receipts that cannot be read or \
                are of no task, hashes by which nothing is found, partitions with gaps. As long as it reads, the database keeps \
                what was removed since; for a large one choose a quiet hour.

                What it finds is some program's fault or the database's: keep a copy (pg_dump) before anything is mended.
                """,
                """
                不作任何更改，服务器可以同时运行。对嵌入式存储，内容与 pspctl check 相同。对共用存储，读取所有表在某一时刻的内容，并指出自相矛盾之处：\
                组织机构的计数与设备不符、设备没有接收进度、回执无法读取或没有对应的任务、散列值不符而无法查到、分区之间有空缺。读取期间，数据库保留此后删除的内容；\
                数据量大时请选择空闲时段。

                所发现的问题出自程序或数据库的缺陷：修复之前请先保留一份副本（pg_dump）。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl store check postgres://psp@db1,db2/psp --password-file /etc/pspd/store.password",
                    "pspctl store check sqlite:/var/lib/pspd --json"))
    }

    @Argument(
        help: ArgumentHelp(
            say(
                "The store, as pspd has it in --store: sqlite:DIR or postgres://…",
                "存储，与 pspd 的 --store 相同：sqlite:DIR 或 postgres://…"),
            valueName: "store"))
    var store: String

    @OptionGroup(title: say("Store", "存储"))
    var options: DatabaseOptions

    func run() async throws {
        if let directory = StoreName(store).directory {
            return try CheckCommand.examine(directory, json: options.json)
        }
        guard StoreName(store).isDatabase else {
            throw ValidationError(
                say(
                    "The store must be sqlite:DIR or a URI postgres://…; got '\(store)'.",
                    "存储应为 sqlite:DIR 或 postgres://… 形式的 URI，收到 '\(store)'。"))
        }
        try await Self.examine(try options.database(at: store), json: options.json)
    }

    /// Tells what a shared store holds, and ends with status 1 where that contradicts itself.
    static func examine(_ database: PostgresOptions, json isForProgram: Bool) async throws {
        let progress = Progress(isSilent: isForProgram)
        let found: SharedStoreExamination
        do {
            found = try await DatabaseWaiting.told(of: database) {
                try await SharedStoreExamination(of: database) { progress.show($0, say("looked at", "已检查")) }
            }
        } catch let failure as SharedStoreExamination.Failure {
            progress.clear()
            throw Failure.database("\(database.address)", reason: failure.text)
        }
        progress.clear()
        let json = try JSONDocument(parsing: json(found, "\(database.address)"))
        if isForProgram { Output.json(json.root.minified()) } else { tell(found, "\(database.address)", json.root) }
        guard found.findings.isEmpty else { throw ExitCode.failure }
    }

    private static func json(_ found: SharedStoreExamination, _ address: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { json in
            json.member("path", address)
            json.member("intact", found.findings.isEmpty)
            json.member("version", found.version)
            for (name, count) in found.counts { json.member(name, count) }
            json.key("problems")
            json.array { json in
                for finding in found.findings {
                    json.object { json in
                        json.member("table", finding.table)
                        json.member("row", finding.row)
                        json.member("problem", finding.problem.text(in: Speech.language))
                    }
                }
            }
        }
        return writer.bytes
    }

    private static func tell(_ found: SharedStoreExamination, _ address: String, _ json: JSONValue) {
        let counts = found.counts.map { say("\($0.count) \($0.name)", "\(StoreWords.chinese($0.name)) \($0.count)") }
            .joined(separator: say(", ", "，"))
        let count = found.findings.count
        let state =
            count == 0
            ? say("intact", "完好") : say(count == 1 ? "1 contradiction" : "\(count) contradictions", "\(count) 处矛盾")
        print(
            say("\(address): \(state), version \(found.version); \(counts)", "\(address)：\(state)，版本 \(found.version)；\(counts)"))
        var table = Table([
            Column(say("TABLE", "表"), "table"), Column(say("ROW", "行"), "row"), Column(say("PROBLEM", "问题"), "problem"),
        ])
        if let problems = json["problems"] { for problem in problems.elements { table.add(problem) } }
        // No sentence is cut: nobody sees it twice.
        if !table.isEmpty { for line in table.lines() { print(line) } }
    }
}
