import ArgumentParser
import Foundation
import JSON
import SQLiteStore

/// `pspctl restore`
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put a backup into a data directory in which no server runs.",
        discussion: """
            The store that is there is kept beside it, under another name. What was pushed after the backup is gone; devices get \
            again what they acknowledged after it. At its next start the server makes a new admin token, and tells new tasks and \
            configurations apart from those that the backup lacks.

            EXAMPLES
              pspctl restore /var/backups/psp-monday.db --data /var/lib/pspd
              pspctl restore psp.backup --yes
            """)

    @Argument(help: ArgumentHelp("A file that pspctl backup made.", valueName: "file"))
    var file: String

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup(title: "Store")
    var store: DirectoryOptions

    func run() async throws {
        let directory = store.path()
        let progress = Progress(isSilent: store.json)
        let found: StoreExamination
        let suffix = ".\(RestoreCommand.stamp)"
        let replaces: Bool
        do {
            let restore = try StoreRestore(into: directory)
            replaces = restore.replaces
            if replaces && !yes { try confirm("Replace the store in \(directory)? It is kept as psp.db\(suffix).") }
            found = try restore.run(from: file, keepingOldAs: suffix) { progress.show($0, "copied") }
        } catch let error as SQLiteStoreError {
            progress.clear()
            throw Failure.store("\(error)")
        }
        progress.clear()
        if store.json {
            var json = JSONWriter()
            json.object { json in
                json.member("directory", directory)
                if replaces { json.member("kept", "psp.db\(suffix)") }
                found.write(to: &json)
            }
            return Output.json(json.bytes)
        }
        print("\(directory): restored; \(found.summary)")
        if replaces { print("the store that was there is psp.db\(suffix)") }
        print("start the server; it makes a new admin token in \(directory)/admin.token")
    }

    private func confirm(_ question: String) throws {
        guard isatty(STDIN_FILENO) == 1 else { throw ValidationError("\(question) Nobody can be asked: give --yes.") }
        FileHandle.standardError.write(Data("\(question) [y/N] ".utf8))
        guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
            throw Failure.store("nothing was changed")
        }
    }

    /// The time, as a part of a file's name.
    private static var stamp: String {
        Column.localTime(Instant.now.milliseconds).replacingOccurrences(of: " ", with: "T").replacingOccurrences(
            of: ":", with: "-")
    }
}
