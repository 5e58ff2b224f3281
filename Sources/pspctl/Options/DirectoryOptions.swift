import ArgumentParser
import Foundation
import SQLiteStore

/// Which data directory, for what is done with its files rather than by the server.
struct DirectoryOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            say("The data directory; else PSP_DATA or PSP_STORE, else ./data.", "数据目录，否则 PSP_DATA 或 PSP_STORE，否则 ./data。"),
            valueName: "dir"))
    var data: String?

    @Flag(help: ArgumentHelp(say("Print JSON for scripts instead of text for people.", "输出 JSON（供脚本使用）而不是文字。")))
    var json = false

    func path(environment: [String: String] = ProcessInfo.processInfo.environment) -> String {
        DataDirectory(option: data, environment: environment).path
    }

    /// What `PSP_STORE` names, where that is a store that nodes share and nothing names a directory.
    func sharedStore(environment: [String: String] = ProcessInfo.processInfo.environment) -> String? {
        DataDirectory(option: data, environment: environment).isShared ? environment["PSP_STORE"] : nil
    }

    /// The directory into which a store is put.
    /// - Throws: `notEmbedded` where what is named is a store that nodes share; `store` where its store was moved into one.
    func pathForStore(environment: [String: String] = ProcessInfo.processInfo.environment) throws(Failure) -> String {
        try unmoved(try pathUnlessShared(environment))
    }

    /// The directory of a store that has its files there.
    /// - Throws: the same, and `notEmbedded` where it has none.
    func pathOfEmbeddedStore(environment: [String: String] = ProcessInfo.processInfo.environment) throws(Failure) -> String {
        let path = try pathUnlessShared(environment)
        guard !DataDirectory.isAbsent("\(path)/psp.db") else { throw .notEmbedded(directory: path) }
        return try unmoved(path)
    }

    private func pathUnlessShared(_ environment: [String: String]) throws(Failure) -> String {
        let directory = DataDirectory(option: data, environment: environment)
        guard !directory.isShared else { throw .notEmbedded(directory: nil) }
        return directory.path
    }

    private func unmoved(_ path: String) throws(Failure) -> String {
        do throws(SQLiteStoreError) { try MovedStore.refuse(path) } catch { throw .store(error) }
        return path
    }
}
