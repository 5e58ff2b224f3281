import ArgumentParser
import JSON
import SQLiteStore

/// `pspctl check`
struct CheckCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "check",
            abstract: say("Tell whether a store or a backup is intact, and what it holds.", "检查存储或备份是否完好，以及其中的内容。"),
            discussion: say(
                """
                Reads every page and changes nothing. A server may run meanwhile. It tells whether the structure is whole, \
                and of a backup whether its bytes are still those that were written, by FILE.sha256 beside it. A byte that a \
                disk has changed within a text of a data directory it cannot tell, for the store keeps no checksums. Of a store \
                that nodes share it tells what pspctl store check tells.
                """,
                """
                读取每一页，不作任何更改。服务器可以同时运行。它检查结构是否完整；对于备份，还按旁边的 FILE.sha256 检查内容是否仍是当时写入的。\
                磁盘改变了数据目录里文本中的某个字节时无法发现，因为存储不保存校验和。对多个节点共用的存储，内容与 \
                pspctl store check 相同。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl check", "pspctl check /var/backups/psp-monday.db", "pspctl check /var/lib/pspd --json"))
    }

    @Argument(
        help: ArgumentHelp(
            say(
                "A data directory, the file of a backup or postgres://…; without it, the directory of --data, or PSP_STORE.",
                "数据目录、备份文件或 postgres://…；不给则为 --data 的目录或 PSP_STORE。"),
            valueName: "path"))
    var path: String?

    @OptionGroup(title: say("Store", "存储"))
    var store: DirectoryOptions

    @OptionGroup
    var password: PasswordFileOption

    func run() async throws {
        let path = path ?? store.sharedStore() ?? store.path()
        if StoreName(path).isDatabase {
            return try await StoreCheckCommand.examine(try password.database(at: path), json: store.json)
        }
        try Self.examine(StoreName(path).directory ?? path, json: store.json)
    }

    /// Tells what a data directory or a backup holds, and ends with status 1 where that is damaged.
    static func examine(_ path: String, json isForProgram: Bool) throws {
        let found: StoreExamination
        do throws(SQLiteStoreError) { found = try StoreExamination(of: path) } catch { throw Failure.store(error) }
        if isForProgram {
            var json = JSONWriter()
            json.object { json in
                json.member("path", path)
                found.write(to: &json)
            }
            Output.json(json.bytes)
        } else {
            let state = found.isIntact ? say("intact", "完好") : say("damaged", "已损坏")
            print(
                say(
                    "\(path): \(state), version \(found.version); \(found.summary)",
                    "\(path)：\(state)，版本 \(found.version)；\(found.summary)"))
            tell(found.checksum, path)
            for problem in found.problems { Output.error("  \(Output.printable(problem))") }
            if !found.isIntact {
                Output.error(
                    say("put back a backup that is intact: pspctl restore OTHER_FILE", "请放回另一份完好的备份：pspctl restore 其他文件"))
            }
        }
        do throws(SQLiteStoreError) { try MovedStore.refuse(path) } catch { Output.error(error.text.text(in: Speech.language)) }
        guard found.isIntact else { throw ExitCode.failure }
    }

    private static func tell(_ checksum: StoreExamination.Checksum?, _ path: String) {
        switch checksum {
        case .matches: print(say("its bytes are those that were written (\(path).sha256)", "内容与写入时一致（\(path).sha256）"))
        case .differs:
            Output.error(
                say("  its bytes are not those that \(path).sha256 tells of", "  其内容与 \(path).sha256 中的校验和不符"))
        case .absent:
            print(
                say(
                    "there is no \(path).sha256, so that a changed byte within a text would not be seen",
                    "没有 \(path).sha256，因此无法发现文本中被改变的字节"))
        case nil: break
        }
    }
}
