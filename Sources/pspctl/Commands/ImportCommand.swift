import ArgumentParser
import Foundation
import JSON

/// `pspctl import`
struct ImportCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "import",
            abstract: say("Register many organisations, devices and apps from a file.", "从文件批量登记组织机构、设备和应用。"),
            discussion: description + "\n\n"
                + HelpText.examples(
                    "pspctl import devices.ndjson", "pspctl import devices.csv --secrets secrets.csv",
                    "generate | pspctl import -"))
    }

    private static var description: String {
        say(
            """
            The file is UTF-8, in one of two forms. JSON: an object a line, with "kind" (org, device or app), "id" and \
            the fields of that kind.

              {"kind":"org","id":"police","name":"Police"}
              {"kind":"device","id":"phone-1","platform":"android","org_id":"police","secret":"…"}

            CSV: the first line names the columns, of kind, id, platform, org_id, user_id, test, secret, name, \
            parent_id, interfaces, master_secret, disabled; without kind all are devices. Fields with commas stand in \
            quotes, an empty one is left out.

              id,platform,org_id,user_id
              phone-1,android,police,officer-7

            Lines apply in order, each alone: one that is refused does not touch its neighbours, and importing the \
            same file again changes nothing. A new device or app needs its secret: --secrets makes one for each device \
            line that has none, also of a device that exists already, and keeps it in a new file.

            A server that needs longer goes on by itself; this command follows it, and may be interrupted. See pspctl imports.
            """,
            """
            文件为 UTF-8，有两种格式。JSON：每行一个对象，含 "kind"（org、device 或 app）、"id" 和该种类的字段。

              {"kind":"org","id":"police","name":"Police"}
              {"kind":"device","id":"phone-1","platform":"android","org_id":"police","secret":"…"}

            CSV：第一行是列名，可用 kind、id、platform、org_id、user_id、test、secret、name、parent_id、interfaces、\
            master_secret、disabled；没有 kind 列时全部是设备。含逗号的内容加引号，空的内容等于不填。

              id,platform,org_id,user_id
              phone-1,android,police,officer-7

            各行按顺序、单独生效：一行被拒绝不影响其他行，重复导入同一文件不产生变化。新设备或新应用需要密钥：\
            --secrets 为每个没有密钥的设备行生成一个（已存在的设备也是），并保存到新文件。

            需要较长时间的导入由服务器继续进行；本命令跟踪其进度，可以中断。见 pspctl imports。
            """)
    }

    @Argument(help: ArgumentHelp(say("The file; - is standard input.", "文件，- 为标准输入。"), valueName: "file"))
    var file: String

    @Option(
        help: ArgumentHelp(
            say(
                "Make secrets for devices that have none, and keep them in this new file (0600).",
                "为没有密钥的设备生成密钥，保存到这个新文件（0600）。"),
            valueName: "file"))
    var secrets: String?

    @Flag(
        help: ArgumentHelp(
            say("Do not wait for an import that the server goes on with: print its number.", "不等待由服务器继续的导入，只打印编号。")))
    var detach = false

    @OptionGroup(title: say("Server", "服务器"))
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
        // What goes on by itself is judged by whoever asks for it later.
        guard detach && result.isRunning || result.isWhole else { throw ExitCode.failure }
    }

    private func print(_ result: ImportResult, _ secrets: DeviceSecrets?) {
        for failure in result.failures { Output.error("\(file):\(failure)") }
        if result.failed > result.failures.count {
            let rest = result.failed - result.failures.count
            Output.error(say("… and \(rest) more failed lines", "……还有 \(rest) 行失败"))
        }
        if result.isLeft {
            let numbers = result.numbers.joined(separator: ", ")
            Output.error(say("the server has left the import \(numbers): see its log", "服务器放弃了导入 \(numbers)：见其日志"))
        }
        if let secrets {
            Output.error(say("\(secrets.count) secrets are in \(secrets.path)", "\(secrets.count) 个密钥在 \(secrets.path) 中"))
        }
        Swift.print(result.summary)
        if detach {
            for number in result.numbers {
                Swift.print(
                    say("import \(number) goes on: pspctl imports \(number)", "导入 \(number) 继续进行：pspctl imports \(number)"))
            }
        }
    }
}
