import Foundation
import JSON
import Testing

@testable import pspctl

@Suite("What is imported of a file")
struct ImportTests {
    /// A file whose bytes come in pieces of so many.
    private func lines(_ text: [UInt8], by size: Int = 5) -> TextLines {
        var rest = text[...]
        return TextLines(of: "file") { _ in
            defer { rest = rest.dropFirst(size) }
            return rest.isEmpty ? nil : Data(rest.prefix(size))
        }
    }

    private func batches(
        _ text: String, size: Int = .max
    ) throws -> [(firstLine: Int, text: String, count: Int)] {
        var batches = try ImportBatches(lines(Array(text.utf8)), of: "file", size: size)
        var found: [(firstLine: Int, text: String, count: Int)] = []
        while let batch = try batches.next() {
            found.append((batch.firstLine, String(decoding: batch.bytes, as: UTF8.self), batch.count))
        }
        return found
    }

    private func failure(_ text: [UInt8]) -> String? {
        do throws(Failure) {
            var batches = try ImportBatches(lines(text), of: "file")
            while try batches.next() != nil {}
            return nil
        } catch { return "\(error)" }
    }

    @Test("lines of JSON keep their numbers, and a failed one is told with its number in the file")
    func json() throws {
        let found = try batches("\u{FEFF}{\"a\":1}\r\n\n{\"b\":2}\nthree", size: 10)
        #expect(found.map(\.firstLine) == [1, 4] && found.map(\.count) == [2, 1])
        #expect(found.map(\.text) == ["{\"a\":1}\r\n\n{\"b\":2}\n", "three\n"])
        var result = ImportResult()
        let reply = #"{"created":0,"updated":0,"failed":1,"failures":[{"line":1,"error_code":2101,"error_msg":"not JSON"}]}"#
        result.add(try JSONDocument(parsing: reply).root, of: ImportBatches.Batch(firstLine: 4))
        #expect(result.failures.map(\.description) == ["4: refused with 2101: not JSON"])
        #expect(!result.isWhole)
    }

    @Test("nothing is nothing", arguments: ["", "\n \n", "\u{FEFF}", "id,platform\n"])
    func nothing(text: String) throws {
        #expect(try batches(text).isEmpty)
    }

    @Test("records of CSV become lines of JSON with the number of the line where they begin")
    func csv() throws {
        let text = """
            \u{FEFF}id, platform,org_id,test,user_id\r
            phone-1,android,police,true,\r

            "phone-2","ios","a ""b"",
            c",FALSE,7
            short,ios
            """
        let found = try batches(text)
        #expect(found.map(\.firstLine) == [2] && found.map(\.count) == [3])
        #expect(
            found.map(\.text) == [
                #"{"kind":"device","id":"phone-1","platform":"android","org_id":"police","test":true}"# + "\n\n"
                    + #"{"kind":"device","id":"phone-2","platform":"ios","org_id":"a \"b\",\nc","test":false,"user_id":"7"}"#
                    + "\n\n"
                    + #"{"kind":"device","id":"short","platform":"ios"}"# + "\n"
            ])
    }

    @Test("a line end inside quotes is the field's, CR LF as it stands")
    func lineEndsInQuotes() throws {
        let found = try batches("id,name,kind\r\none,\"a\r\nb\nc\",org\r\n")
        #expect(found.map(\.text) == [#"{"id":"one","name":"a\r\nb\nc","kind":"org"}"# + "\n\n\n"])
    }

    @Test("a column of CSV may say what kind a record is")
    func csvKinds() throws {
        let found = try batches("kind,id,name,interfaces,master_secret\norg,o,警务,,\napp,a,A,msg config,s\n")
        #expect(
            found.map(\.text) == [
                #"{"kind":"org","id":"o","name":"警务"}"# + "\n"
                    + #"{"kind":"app","id":"a","name":"A","interfaces":["msg","config"],"master_secret":"s"}"# + "\n"
            ])
    }

    @Test(
        "what cannot be read is told with its line",
        arguments: [
            ("{\"a\":1}\n{\"b\":\"\u{FF}\u{FF}\"}\n{", "file:2"), ("id,name\n1,\u{FF}", "file:2: not UTF-8"),
            ("id,colour\n", "“colour”"), ("id,id\n", "twice"), ("platform\nios\n", "no column “id”"),
            ("nonsense\n{}", "nonsense"),
            ("id,name\na,\"b\nc\n", "file:2: a quote that begins here"),
            ("id,name\na,b\"c\n", "file:2: a quote in the middle"), ("id,name\na,\"b\"c\n", "file:2: a quote in the middle"),
        ])
    func faults(text: String, told: String) throws {
        // U+FF stands for the byte, which no text in UTF-8 has.
        let bytes: [UInt8] = text.unicodeScalars.flatMap { $0.value == 0xFF ? [0xFF] : Array(String($0).utf8) }
        let failure = try #require(self.failure(bytes))
        #expect(failure.contains(told), "\(failure)")
    }

    @Test("a record with more cells than there are columns is refused alone")
    func cells() throws {
        var batches = try ImportBatches(lines(Array("id,platform\na,ios,more\nb,ios\n".utf8)), of: "file")
        let batch = try #require(try batches.next())
        #expect(
            String(decoding: batch.bytes, as: UTF8.self) == "\n" + #"{"kind":"device","id":"b","platform":"ios"}"# + "\n"
                && batch.count == 1)
        #expect(batch.faults.map(\.description) == ["2: refused with 2103: 3 cells, and 2 columns"])
        var result = ImportResult()
        result.add(faultsOf: batch)
        #expect(result.failed == 1 && !result.isWhole && !result.isEmpty && result.namesAllFailures)
    }

    @Test("text in GBK is told from UTF-8, and what to do about it")
    func gbk() throws {
        // 公安 in GBK.
        let failure = try #require(self.failure(Array("id,name\n1,".utf8) + [0xB9, 0xAB, 0xB0, 0xB2] + Array("\n".utf8)))
        #expect(failure.hasPrefix("file:2: not UTF-8") && failure.contains("UTF-8") && failure.contains("GBK"))
    }

    @Test("devices without a secret get one, which is in the file before it is sent, for its owner alone")
    func secrets() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("secrets-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let secrets = try DeviceSecrets(newFile: path)
        let text = """
            {"kind":"device","id":"one","platform":"ios"}\r
            {"kind":"device","id":"two","secret":"own"}
            {"kind":"org","id":"three"}
            {"kind":"device","id":"no token!"}
            {"kind":"device","id":"four" }
            {"kind":"device","id":"five"}
            {"kind":"device","id":"one"}
            """
        let lines = text.split(separator: "\n").count
        var batch = ImportBatches.Batch(firstLine: 3, bytes: Array(text.utf8), count: lines)
        #expect(DeviceSecrets.tokens(withoutSecretIn: batch) == ["one", "four", "five", "one"])
        secrets.complete(&batch, except: ["five"])
        try secrets.write()
        let told = try rows(path)
        #expect(told.map(\.first) == ["device_token", "one", "four"] && secrets.count == 2)
        #expect(told.dropFirst().allSatisfy { $0[1].count == 32 } && told[1][1] != told[2][1])
        let sent = String(decoding: batch.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(sent[0] == #"{"kind":"device","id":"one","platform":"ios","secret":"\#(told[1][1])"}"#)
        #expect(sent[4] == #"{"kind":"device","id":"four" ,"secret":"\#(told[2][1])"}"#)
        #expect((sent[1...3] + [sent[5]]).allSatisfy { text.contains($0) })
        #expect(sent[6] == #"{"kind":"device","id":"one","secret":"\#(told[1][1])"}"#, "a device has one secret")
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        #expect(throws: Failure.file(path: path, reason: "is there already, and is not overwritten")) {
            _ = try DeviceSecrets(newFile: path)
        }
    }

    private func rows(_ path: String) throws -> [[Substring]] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { $0.split(separator: ",") }
    }

    @Test("the file keeps only what a device got, and without any there is none")
    func refusedSecrets() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("secrets-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let secrets = try DeviceSecrets(newFile: path)
        let text = ["one", "two", "three", "two"].map { #"{"kind":"device","id":"\#($0)"}"# }.joined(separator: "\n")
        var batch = ImportBatches.Batch(firstLine: 11, bytes: Array(text.utf8), count: 4)
        secrets.complete(&batch, except: [])
        try secrets.write()
        let all = try rows(path)
        try secrets.settle(refused: [11, 12], absent: [])
        #expect(try rows(path) == [all[0], all[2], all[3]] && secrets.count == 2, "the second line of “two” was applied")
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        try secrets.settle(refused: [14], absent: ["three"])
        #expect(secrets.count == 0 && !FileManager.default.fileExists(atPath: path))
    }

    @Test("of a device that brings a secret on another line the file has the one which it has in the end")
    func secretsOfTwoLines() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("secrets-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        // What an import that was killed has left.
        try Data("device_token,secret\n".utf8).write(to: URL(fileURLWithPath: path + ".new"))
        defer { try? FileManager.default.removeItem(atPath: path + ".new") }
        let secrets = try DeviceSecrets(newFile: path)
        let text = """
            {"kind":"device","id":"before","secret":"own"}
            {"kind":"device","id":"before"}
            {"kind":"device","id":"after"}
            {"kind":"device","id":"after","secret":"own"}
            {"kind":"device","id":"refused"}
            {"kind":"device","id":"refused","secret":"own"}
            """
        var batch = ImportBatches.Batch(firstLine: 1, bytes: Array(text.utf8), count: 6)
        secrets.complete(&batch, except: [])
        try secrets.write()
        let sent = String(decoding: batch.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(sent[1] == #"{"kind":"device","id":"before"}"#)
        #expect(sent[2].contains("secret") && sent[4].contains("secret"))
        try secrets.settle(refused: [6], absent: [])
        #expect(try rows(path).map(\.first) == ["device_token", "refused"] && secrets.count == 1)
        #expect(FileManager.default.fileExists(atPath: path + ".new"))
    }

    @Test("that new devices lack secrets is seen")
    func lackingSecrets() throws {
        for (field, code, lacks) in [("secret", 2102, true), ("secret", 2103, false), ("org_id", 2102, false)] {
            var result = ImportResult()
            let reply = #"{"failed":1,"failures":[{"line":1,"error_code":\#(code),"error_msg":"","field":"\#(field)"}]}"#
            result.add(try JSONDocument(parsing: reply).root, of: ImportBatches.Batch(firstLine: 1))
            #expect(result.lacksSecrets == lacks)
        }
    }

    @Test("what failed beyond what the server names is known to be more")
    func unnamedFailures() throws {
        var result = ImportResult()
        let named = #"{"failed":1,"failures":[{"line":1,"error_code":2101}]}"#
        result.add(try JSONDocument(parsing: named).root, of: ImportBatches.Batch(firstLine: 1))
        #expect(result.namesAllFailures)
        result.add(
            try JSONDocument(parsing: #"{"failed":2,"failures":[{"line":1}]}"#).root, of: ImportBatches.Batch(firstLine: 1))
        #expect(!result.namesAllFailures)
    }
}
