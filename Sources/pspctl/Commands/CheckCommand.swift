import ArgumentParser
import JSON
import SQLiteStore

/// `pspctl check`
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Tell whether a store or a backup is intact, and what it holds.",
        discussion: """
            Reads every page and changes nothing. A server may run meanwhile.

            EXAMPLES
              pspctl check
              pspctl check /var/backups/psp-monday.db
              pspctl check /var/lib/pspd --json
            """)

    @Argument(
        help: ArgumentHelp("A data directory or the file of a backup; without it, the directory of --data.", valueName: "path"))
    var path: String?

    @OptionGroup(title: "Store")
    var store: DirectoryOptions

    func run() async throws {
        let path = path ?? store.path()
        let found: StoreExamination
        do throws(SQLiteStoreError) { found = try StoreExamination(of: path) } catch { throw Failure.store("\(error)") }
        if store.json {
            var json = JSONWriter()
            json.object { json in
                json.member("path", path)
                found.write(to: &json)
            }
            Output.json(json.bytes)
        } else {
            print("\(path): \(found.problems.isEmpty ? "intact" : "damaged"), version \(found.version); \(found.summary)")
            for problem in found.problems { Output.error("  \(Output.printable(problem))") }
            if !found.problems.isEmpty { Output.error("put back a backup: pspctl restore FILE") }
        }
        guard found.problems.isEmpty else { throw ExitCode.failure }
    }
}
