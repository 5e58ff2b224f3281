import ArgumentParser
import JSON
import SQLiteStore

/// `pspctl backup`
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the store into a file, while the server goes on.",
        discussion: """
            The copy is what the store held at one moment. It is readable by its owner alone, and checked before it gets its \
            name. It holds all secrets of apps, and is needed whole: keep it as safe as the data directory.

            The copy is made from the files of the data directory, so run this on the server's machine and as its user. While it \
            goes on, the server's log grows; it gives up when that is too long.

            EXAMPLES
              pspctl backup /var/backups/psp-monday.db
              pspctl backup psp.backup --data /var/lib/pspd
            """)

    @Argument(help: ArgumentHelp("The file to be made.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("Give up when the server's log has grown beyond so many MiB.", valueName: "n"))
    var maxLog = 1_024

    @OptionGroup(title: "Store")
    var store: DirectoryOptions

    func validate() throws {
        guard (1...1 << 20).contains(maxLog) else { throw ValidationError("--max-log is from 1 to 1048576.") }
    }

    func run() async throws {
        let progress = Progress(isSilent: store.json)
        let result: StoreBackup.Result
        do throws(SQLiteStoreError) {
            result = try StoreBackup(of: store.path(), to: file, longestLog: maxLog << 20).run { progress.show($0, "copied") }
        } catch {
            progress.clear()
            throw Failure.store("\(error)")
        }
        progress.clear()
        if store.json {
            var json = JSONWriter()
            json.object { json in
                json.member("file", file)
                json.member("bytes", result.bytes)
                result.examination.write(to: &json)
            }
            Output.json(json.bytes)
        } else {
            print("\(file): \(result.bytes) bytes, intact; \(result.examination.summary)")
        }
    }
}

extension StoreExamination {
    /// The counts in a line.
    var summary: String { counts.map { "\($0.count) \($0.name)" }.joined(separator: ", ") }

    /// Its members.
    func write(to json: inout JSONWriter) {
        json.member("intact", problems.isEmpty)
        json.member("version", version)
        for (name, count) in counts { json.member(name, count) }
        json.key("problems")
        json.array { json in for problem in problems { json.value(problem) } }
    }
}
