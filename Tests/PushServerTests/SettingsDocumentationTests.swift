import Foundation
import Testing

@testable import PushServer

@Suite("The settings' documentation")
struct SettingsDocumentationTests {
    private func project(_ path: String) throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    @Test("docs/configuration.md and its Chinese twin hold the table as the program has it")
    func table() throws {
        #expect(try project("docs/configuration.md").contains(SettingsHelp(language: .english).markdownTable))
        #expect(try project("docs/configuration.zh-CN.md").contains(SettingsHelp(language: .chinese).markdownTable))
    }

    @Test("the example file is one that pspd takes, and names every key")
    func exampleFile() throws {
        let text = try project("deploy/pspd.yaml")
        _ = try ServerConfiguration(
            flags: ["config": GivenValue(text: "deploy/pspd.yaml", origin: .flag("--config"))], environment: [:]
        ) { _ throws(FileError) in Array(text.utf8) }
        for setting in Setting.all where setting.isInFile {
            #expect(text.contains("\(setting.key):"), "\(setting.key)")
        }
    }
}
