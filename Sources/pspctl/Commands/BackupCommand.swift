import ArgumentParser
import JSON
import SQLiteStore

/// `pspctl backup`
struct BackupCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "backup", abstract: say("Copy the store into a file, while the server goes on.", "把存储复制到文件，服务器照常运行。"),
            discussion: say(
                """
                The copy is what the store held at one moment. It is readable by its owner alone, and checked before \
                it gets its name. Beside it FILE.sha256 keeps the checksum of its bytes, by which check and restore judge it; \
                sha256sum -c reads it as well. The copy holds all secrets of apps, and is needed whole: keep it as safe as \
                the data directory.

                The copy is made from the files of the data directory, so run this on the server's machine and as its \
                user. While it goes on, the server's log grows; it gives up when that is too long.

                A store that nodes share is not backed up by this but by its database's own means: docs/cluster.md.
                """,
                """
                副本是存储在某一时刻的内容，只有所有者可读，检查无误后才得到文件名。旁边的 FILE.sha256 保存其内容的校验和，\
                check 和 restore 据此判断，sha256sum -c 也能读取。副本含有所有应用的密钥，且必须完整：请与数据目录同样妥善保管。

                副本由数据目录中的文件生成，因此须在服务器所在机器上、以其用户运行。复制期间服务器的日志会增长；过长时放弃。

                多个节点共用的存储不由本命令备份，而用数据库自己的手段：docs/cluster.zh-CN.md。
                """) + "\n\n"
                + HelpText.examples("pspctl backup /var/backups/psp-monday.db", "pspctl backup psp.backup --data /var/lib/pspd"))
    }

    @Argument(help: ArgumentHelp(say("The file to be made.", "要生成的文件。"), valueName: "file"))
    var file: String

    @Option(
        help: ArgumentHelp(
            say("Give up when the server's log has grown beyond so many MiB.", "服务器日志超过多少 MiB 时放弃。"), valueName: "n"))
    var maxLog = 1_024

    @OptionGroup(title: say("Store", "存储"))
    var store: DirectoryOptions

    func validate() throws {
        guard (1...1 << 20).contains(maxLog) else {
            throw ValidationError(
                say(
                    "--max-log must be an integer from 1 to 1048576; got \(maxLog).", "--max-log 应为 1 至 1048576 的整数，收到 \(maxLog)。"
                ))
        }
    }

    func run() async throws {
        let directory = try store.pathOfEmbeddedStore()
        let progress = Progress(isSilent: store.json)
        let result: StoreBackup.Result
        do throws(SQLiteStoreError) {
            result = try StoreBackup(of: directory, to: file, longestLog: maxLog << 20).run {
                progress.show($0, say("copied", "已复制"))
            }
        } catch {
            progress.clear()
            throw Failure.store(error)
        }
        progress.clear()
        if store.json {
            var json = JSONWriter()
            json.object { json in
                json.member("file", file)
                json.member("bytes", result.bytes)
                json.member("checksum_file", result.checksumFile)
                result.examination.write(to: &json)
            }
            Output.json(json.bytes)
        } else {
            let summary = result.examination.summary
            print(say("\(file): \(result.bytes) bytes, intact; \(summary)", "\(file)：\(result.bytes) 字节，完好；\(summary)"))
        }
    }
}

extension StoreExamination {
    /// The counts in a line.
    var summary: String {
        counts.map { say("\($0.count) \($0.name)", "\(StoreWords.chinese($0.name)) \($0.count)") }
            .joined(separator: say(", ", "，"))
    }

    /// Its members.
    func write(to json: inout JSONWriter) {
        json.member("intact", isIntact)
        json.member("checksum", ifPresent: checksum?.rawValue)
        json.member("version", version)
        for (name, count) in counts { json.member(name, count) }
        json.key("problems")
        json.array { json in for problem in problems { json.value(problem) } }
    }
}

/// What the things are called that stores hold.
enum StoreWords {
    static func chinese(_ name: String) -> String { names[name] ?? name }

    private static let names = ["apps": "应用", "organisations": "组织机构", "devices": "设备", "tasks": "任务"]
}
