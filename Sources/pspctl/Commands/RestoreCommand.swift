import ArgumentParser
import Foundation
import JSON
import SQLiteStore

/// `pspctl restore`
struct RestoreCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "restore",
            abstract: say("Put a backup into a data directory in which no server runs.", "把备份放回没有服务器运行的数据目录。"),
            discussion: say(
                """
                A copy whose bytes are not those that FILE.sha256 beside it tells of is refused; without that file its \
                structure alone is examined. The store that is there is kept beside it, under another name. What was pushed \
                after the backup is gone; devices get again what they acknowledged after it. \
                At its next start the server makes a new \
                admin token, and tells new tasks and configurations apart from those that the backup lacks.
                """,
                """
                副本的内容与旁边的 FILE.sha256 不符时拒绝放回；没有该文件时只检查结构。原有的存储改名保留在旁边。备份之后的推送不复存在；设备在备份之后确认过的会再次收到。服务器下次启动时生成新的管理令牌，\
                并把新的任务和配置与备份中缺少的区分开。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl restore /var/backups/psp-monday.db --data /var/lib/pspd", "pspctl restore psp.backup --yes"))
    }

    @Argument(help: ArgumentHelp(say("A file that pspctl backup made.", "pspctl backup 生成的文件。"), valueName: "file"))
    var file: String

    @OptionGroup
    var confirmation: ConfirmationOptions

    @OptionGroup(title: say("Store", "存储"))
    var store: DirectoryOptions

    func run() async throws {
        let directory = try store.pathForStore()
        let progress = Progress(isSilent: store.json)
        let found: StoreRestore.Result
        let suffix = ".\(RestoreCommand.stamp)"
        let replaces: Bool
        do {
            let restore = try StoreRestore(into: directory)
            replaces = restore.replaces
            if replaces {
                let question = say(
                    "Replace the store in \(directory)? It is kept as psp.db\(suffix).",
                    "替换 \(directory) 中的存储吗？原有的保留为 psp.db\(suffix)。")
                try confirmation.ask(
                    "\(question) [y/N] ",
                    unanswerable: say(
                        "\(question) Nobody can be asked: give --yes.", "\(question)标准输入不是终端，无法询问：请加 --yes。"))
            }
            found = try restore.run(from: file, keepingOldAs: suffix) { progress.show($0, say("copied", "已复制")) }
        } catch let error as SQLiteStoreError {
            progress.clear()
            throw Failure.store(error)
        }
        progress.clear()
        if store.json {
            var json = JSONWriter()
            json.object { json in
                json.member("directory", directory)
                if replaces { json.member("kept", "psp.db\(suffix)") }
                json.member("compared", found.isCompared)
                found.examination.write(to: &json)
            }
            return Output.json(json.bytes)
        }
        print(say("\(directory): restored; \(found.examination.summary)", "\(directory)：已放回；\(found.examination.summary)"))
        if !found.isCompared {
            print(
                say(
                    "there is no \(file).sha256, so its bytes could not be compared with those that the backup wrote",
                    "没有 \(file).sha256，因此无法确认其内容就是备份时写入的"))
        }
        if replaces {
            print(say("the store that was there is psp.db\(suffix)", "原有的存储为 psp.db\(suffix)"))
        }
        print(
            say(
                "start the server; it makes a new admin token in \(directory)/admin.token, unless one is set",
                "请启动服务器；它会在 \(directory)/admin.token 中生成新的管理令牌，除非另行设置了令牌"))
    }

    /// The time, as a part of a file's name.
    private static var stamp: String {
        Column.timeOfDay(Instant.now.milliseconds).replacingOccurrences(of: " ", with: "T").replacingOccurrences(
            of: ":", with: "-")
    }
}
