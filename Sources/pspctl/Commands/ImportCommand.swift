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
            parent_id, interfaces, master_secret, disabled, hmac_only, addresses, pushes_per_second, pushes_per_day; without \
            kind all are devices. Fields with commas stand in quotes (interfaces: "msg,config"), an empty one is left out; \
            test and disabled are true or false.

              id,platform,org_id,user_id
              phone-1,android,police,officer-7

            Lines apply in order, each alone: one that is refused does not touch its neighbours, and importing the \
            same file again changes nothing. A new device or app needs its secret: --secrets makes one for each new device \
            that brings none, and keeps it in a new file; devices that exist already keep theirs, unless \
            --replace-secrets is given too. An app brings its own master_secret.

            A server that needs longer goes on by itself; this command follows it, and may be interrupted. See pspctl imports.
            """,
            """
            文件为 UTF-8，有两种格式。JSON：每行一个对象，含 "kind"（org、device 或 app）、"id" 和该种类的字段。

              {"kind":"org","id":"police","name":"Police"}
              {"kind":"device","id":"phone-1","platform":"android","org_id":"police","secret":"…"}

            CSV：第一行是列名，可用 kind、id、platform、org_id、user_id、test、secret、name、parent_id、interfaces、\
            master_secret、disabled、hmac_only、addresses、pushes_per_second、pushes_per_day；没有 kind 列时全部是设备。\
            含逗号的内容加引号（interfaces："msg,config"），空的内容等于不填；test 和 disabled 为 true 或 false。

              id,platform,org_id,user_id
              phone-1,android,police,officer-7

            各行按顺序、单独生效：一行被拒绝不影响其他行，重复导入同一文件不产生变化。新设备或新应用需要密钥：\
            --secrets 为每台没有给出密钥的新设备生成一个，并保存到新文件；已存在的设备密钥不变，除非同时给出 --replace-secrets。\
            应用须自带 master_secret。

            需要较长时间的导入由服务器继续进行；本命令跟踪其进度，可以中断。见 pspctl imports。
            """)
    }

    @Argument(help: ArgumentHelp(say("The file; - is standard input.", "文件，- 为标准输入。"), valueName: "file"))
    var file: String

    @Option(
        help: ArgumentHelp(
            say(
                "Make secrets for new devices that bring none, and keep them in this new file (0600).",
                "为没有给出密钥的新设备生成密钥，保存到这个新文件（0600）。"),
            valueName: "file"))
    var secrets: String?

    @Flag(
        help: ArgumentHelp(
            say(
                "With --secrets: new ones also for devices that exist already. They cannot connect with the old ones.",
                "与 --secrets 一起使用：为已存在的设备也生成新密钥，旧密钥不能再连接。")))
    var replaceSecrets = false

    @OptionGroup
    var confirmation: ConfirmationOptions

    @Flag(
        help: ArgumentHelp(
            say("Do not wait for an import that the server goes on with: print its number.", "不等待由服务器继续的导入，只打印编号。")))
    var detach = false

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    /// As messages call the file.
    private var name: String { file == "-" ? say("standard input", "标准输入") : file }

    func validate() throws {
        guard !replaceSecrets || secrets != nil else {
            throw ValidationError(say("--replace-secrets needs --secrets FILE.", "--replace-secrets 须与 --secrets FILE 一起使用。"))
        }
    }

    func run() async throws {
        let client = try server.adminClient()
        let input = try ImportFile(file)
        if replaceSecrets { try confirmReplacing() }
        let madeSecrets = try secrets.map { path throws(Failure) in try DeviceSecrets(newFile: path) }
        var result = ImportResult()
        do {
            try await send(input, madeSecrets, client, &result)
        } catch {
            madeSecrets?.abandon()
            // What is done is done, and is told beside what went wrong.
            if !result.isEmpty { tell(result, madeSecrets) }
            throw error
        }
        if result.isEmpty { Output.error(say("\(name): no lines to import", "\(name)：没有可导入的行")) }
        tell(result, madeSecrets)
        // What goes on by itself is judged by whoever asks for it later.
        guard detach && result.isRunning && result.faultCount == 0 || result.isWhole else { throw ExitCode.failure }
    }

    /// Hands in the whole file, batch by batch.
    private func send(
        _ input: ImportFile, _ madeSecrets: DeviceSecrets?, _ client: ServerClient, _ result: inout ImportResult
    ) async throws {
        var batches = try ImportBatches(TextLines(of: name, reading: input.read), of: name)
        let progress = Progress(isSilent: server.json)
        var weak = 0
        defer {
            progress.clear()
            WeakSecret.warn(ofLines: weak)
        }
        while var batch = try batches.next() {
            result.add(faultsOf: batch)
            guard batch.count > 0 else { continue }
            weak += WeakSecret.count(in: batch)
            if let madeSecrets {
                let known = try await registered(in: batch, client)
                result.keptSecrets.formUnion(known)
                madeSecrets.complete(&batch, except: known)
                try madeSecrets.write()
            }
            var report: JSONValue
            do throws(Failure) {
                report = try await client.send(Call(.post, ["psp", "admin", "import"], body: batch.bytes)).data
            } catch {
                // No device has got what was made for this batch.
                if error.isDefinite { try madeSecrets?.withdraw(batch) }
                throw error
            }
            if !detach {
                report = try await ImportFollower(client: client).end(of: report) { report in
                    progress.show(input.fraction(ImportFollower.fraction(report)), ImportFollower.text(report))
                }
            }
            result.add(report, of: batch)
            input.batchEnded()
        }
        if let madeSecrets { try await settle(madeSecrets, result, client) }
    }

    private func tell(_ result: ImportResult, _ secrets: DeviceSecrets?) {
        if server.json { Output.json(result.json) } else { print(result, secrets) }
    }

    // MARK: Secrets

    private func confirmReplacing() throws {
        let question = say(
            "Devices that exist already and have no secret in \(name) get new ones, and cannot connect with the old. Go on?",
            "\(name) 中没有密钥而已存在的设备将得到新密钥，旧密钥不能再连接。确定继续吗？")
        try confirmation.ask(
            "\(question) [y/N] ",
            unanswerable: say("\(question) Nobody can be asked: give --yes.", "\(question)标准输入不是终端，无法询问：请加 --yes。"))
    }

    /// The devices that keep their secrets.
    private func registered(in batch: ImportBatches.Batch, _ client: ServerClient) async throws -> Set<String> {
        guard !replaceSecrets else { return [] }
        return try await RegisteredDevices(client: client).among(DeviceSecrets.tokens(withoutSecretIn: batch))
    }

    /// Of an import that goes on nobody knows yet what is refused: the file stays as it is.
    private func settle(_ secrets: DeviceSecrets, _ result: ImportResult, _ client: ServerClient) async throws {
        guard !result.isRunning else { return }
        var absent: Set<String> = []
        if !result.namesAllFailures {
            absent = Set(secrets.tokens).subtracting(try await RegisteredDevices(client: client).among(secrets.tokens))
            if replaceSecrets {
                // Of a device that was there before, and whose line was refused without being named, nobody can tell.
                Output.error(
                    say(
                        "more lines failed than are named: \(secrets.path) may have secrets of devices that kept their old ones",
                        "失败的行多于服务器列出的：\(secrets.path) 中可能有实际仍用旧密钥的设备的密钥"))
            }
        }
        try secrets.settle(refused: Set(result.failures.map(\.line)), absent: absent)
    }

    private func print(_ result: ImportResult, _ secrets: DeviceSecrets?) {
        let failures = result.namedFailures
        for failure in failures { Output.error("\(name):\(failure)") }
        if result.failed > failures.count {
            let rest = result.failed - failures.count
            Output.error(say("… and \(rest) more failed lines", "……还有 \(rest) 行失败"))
        }
        if secrets == nil && result.lacksSecrets {
            Output.error(
                say("--secrets FILE makes a secret for each new device that brings none", "加上 --secrets 文件 会为每台没有给出密钥的新设备生成密钥"))
        }
        if result.isLeft {
            let numbers = result.numbers.joined(separator: ", ")
            Output.error(say("the server has left the import \(numbers): see its log", "服务器放弃了导入 \(numbers)：见其日志"))
        }
        if let secrets { print(secrets, kept: result.keptSecrets.count) }
        Swift.print(result.summary)
        if detach {
            for number in result.numbers {
                Swift.print(
                    say("import \(number) goes on: pspctl imports \(number)", "导入 \(number) 继续进行：pspctl imports \(number)"))
            }
        }
    }

    private func print(_ secrets: DeviceSecrets, kept: Int) {
        Output.error(
            secrets.count == 0
                ? say("no secrets were made, so there is no \(secrets.path)", "没有生成密钥，因此没有 \(secrets.path)")
                : say("\(secrets.count) secrets are in \(secrets.path)", "\(secrets.count) 个密钥在 \(secrets.path) 中"))
        guard kept > 0 else { return }
        Output.error(
            say(
                "\(kept) devices exist already and keep their secrets; --replace-secrets makes new ones",
                "\(kept) 台设备已存在，密钥保持不变；--replace-secrets 会为它们生成新密钥"))
    }
}
