import ArgumentParser
import JSON
import StoreCopying

/// `pspctl store copy`
struct StoreCopyCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "copy",
            abstract: say(
                "Move everything that an embedded store holds into the empty database of a shared one.",
                "把嵌入式存储的全部内容移入共用存储的空数据库。"),
            discussion: say(
                """
                Apps with their secrets, organisations, devices with how far each is, tasks with their ids and what became of \
                them, operators, the audit log: afterwards callers, devices and operators find what they would have found, and \
                devices get what was pending for them, once.

                End pspd first: the data directory is read at one moment. The database has all of it in one transaction, or \
                nothing, so that a copying that was broken off is run again; tables are made where there are none. Nodes that \
                are started meanwhile wait until it is done. The data directory is left as it is but for a file psp.moved, \
                because of which pspd does not start on it again: devices and callers would find two stores that go on apart.
                """,
                """
                应用及其密钥、组织机构、设备及其接收进度、任务（编号不变）及其结果、运维账号、审计日志：完成之后，调用方、设备和运维人员看到的与之前相同，\
                设备会收到尚未收到的消息，且只收到一次。

                请先停止 pspd：读取的是数据目录在某一时刻的内容。数据库在一个事务中得到全部内容，否则什么也没有，因此中断后可再次执行；没有表时会先建立。\
                其间启动的节点会等待到完成为止。数据目录保持原样，只增加一个文件 psp.moved，此后 pspd 不再在其上启动：\
                否则设备和调用方会面对两个各自继续的存储。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl store copy sqlite:/var/lib/pspd postgres://psp@db1,db2/psp --password-file /etc/pspd/store.password",
                    "pspctl store copy sqlite:./data postgres://psp@127.0.0.1/psp --json"))
    }

    @Argument(
        help: ArgumentHelp(
            say("The embedded store: sqlite: and its data directory.", "嵌入式存储：sqlite: 加数据目录。"), valueName: "from"))
    var from: String

    @Argument(
        help: ArgumentHelp(
            say("Where the database is, as pspd has it in --store.", "数据库地址，与 pspd 的 --store 相同。"), valueName: "to"))
    var to: String

    @OptionGroup(title: say("Store", "存储"))
    var options: DatabaseOptions

    func run() async throws {
        guard let directory = StoreName(from).directory else {
            throw ValidationError(
                say("The store to copy from must be sqlite:DIR; got '\(from)'.", "源存储应为 sqlite:DIR，收到 '\(from)'。"))
        }
        let database = try options.database(at: to)
        let progress = Progress(isSilent: options.json)
        let result: StoreCopy.Result
        do {
            result = try await DatabaseWaiting.told(of: database) {
                try await StoreCopy(from: directory, to: database).run { done, rows in
                    progress.show(done, say("\(rows) rows copied", "已复制 \(rows) 行"))
                }
            }
        } catch let failure as StoreCopy.Failure {
            progress.clear()
            switch failure {
            case .source(let error): throw Failure.store(error)
            case .target(let reason):
                throw Failure.database("\(database.address)", reason: reason)
            }
        }
        progress.clear()
        if options.json { return Output.json(json(result, "\(database.address)")) }
        let counts = result.counts.map { say("\($0.count) \($0.name)", "\(StoreWords.chinese($0.name)) \($0.count)") }
        print(
            say(
                "\(from) → \(database.address): \(counts.joined(separator: ", ")), in \(result.rows) rows",
                "\(from) → \(database.address)：\(counts.joined(separator: "，"))，共 \(result.rows) 行"))
        let password = options.password.file.map { " --store-password-file '\($0)'" } ?? ""
        let start = "pspd --store '\(database.address.pasteable)'\(password) --node NAME --admin-token-file FILE"
        print(
            say(
                "start nodes with it, each by another NAME: \(start)",
                "请以此启动各节点（NAME 各不相同）：\(start)"))
    }

    private func json(_ result: StoreCopy.Result, _ address: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { json in
            json.member("from", from)
            json.member("to", address)
            for (name, count) in result.counts { json.member(name, count) }
            json.member("rows", result.rows)
        }
        return writer.bytes
    }
}
