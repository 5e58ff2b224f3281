import ArgumentParser
import JSON
import Postgres
import PostgresStore

/// `pspctl store …`
struct StoreCommands: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "store", abstract: say("The store that several nodes share.", "多个节点共用的存储。"),
            discussion: HelpText.examples(
                "pspctl store migrate postgres://psp@db1,db2/psp",
                "pspctl store copy sqlite:/var/lib/pspd postgres://psp@db1,db2/psp",
                "pspctl store hosts postgres://psp@db1,db2/psp",
                "pspctl store check postgres://psp@db1,db2/psp"),
            subcommands: [StoreMigrate.self, StoreCopyCommand.self, StoreHosts.self, StoreCheckCommand.self])
    }
}

/// `pspctl store migrate`
struct StoreMigrate: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "migrate",
            abstract: say(
                "Make a shared store's tables in a database, or bring them to this version.", "在数据库中建立共用存储的表，或升级到本版本。"),
            discussion: say(
                """
                All of it in one transaction, or nothing; where the tables have this version already, only the functions are \
                made anew. Nodes of this version and of the one before work with what it leaves, so that nodes are upgraded one \
                by one after it. The database and its role must exist. What is made belongs to the role of the address.
                """,
                """
                全部在一个事务中完成，否则什么也不改；表已是本版本时只重建函数。完成后本版本和上一版本的节点都能使用，因此可随后逐个升级节点。\
                数据库及其角色须已存在。所建的内容归地址中的角色所有。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl store migrate postgres://psp@db1,db2/psp --password-file /etc/pspd/store.password"))
    }

    @Argument(
        help: ArgumentHelp(
            say("Where the database is, as pspd has it in --store.", "数据库地址，与 pspd 的 --store 相同。"), valueName: "store"))
    var store: String

    @OptionGroup(title: say("Store", "存储"))
    var options: DatabaseOptions

    func run() async throws {
        let database = try options.database(at: store)
        let address = database.address
        let (from, to) = try await migrated(database, address)
        if options.json {
            var writer = JSONWriter()
            writer.object { json in
                json.member("from", from)
                json.member("to", to)
            }
            return Output.json(writer.bytes)
        }
        print(told(address, from, to))
    }

    private func migrated(_ options: PostgresOptions, _ address: PostgresAddress) async throws -> (from: Int, to: Int) {
        do {
            let from = try await DatabaseWaiting.told(of: options) { try await PostgresStore.migrate(options) }
            return (from, PostgresStore.schemaVersion)
        } catch let failure as MigrationFailure {
            throw Failure.database("\(address)", reason: failure.text)
        }
    }

    private func told(_ address: PostgresAddress, _ from: Int, _ to: Int) -> String {
        if from == 0 { return say("\(address): made, version \(to)", "\(address)：已建立，版本 \(to)") }
        if from == to { return say("\(address): version \(to) already", "\(address)：已是版本 \(to)") }
        return say("\(address): from version \(from) to \(to)", "\(address)：从版本 \(from) 升级到 \(to)")
    }
}
