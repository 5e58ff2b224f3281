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
        _ text: String, size: Int = .max, complete: @escaping ([UInt8]) -> [UInt8] = { $0 }
    ) throws -> [(firstLine: Int, text: String, count: Int)] {
        var batches = try ImportBatches(lines(Array(text.utf8)), of: "file", size: size, complete: complete)
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
            ("id,platform\na,ios,more\n", "file:2: 3 cells"), ("id,name\na,\"b\nc\n", "file:2: a quote that begins here"),
            ("id,name\na,b\"c\n", "file:2: a quote in the middle"), ("id,name\na,\"b\"c\n", "file:2: a quote in the middle"),
        ])
    func faults(text: String, told: String) throws {
        // U+FF stands for the byte, which no text in UTF-8 has.
        let bytes: [UInt8] = text.unicodeScalars.flatMap { $0.value == 0xFF ? [0xFF] : Array(String($0).utf8) }
        let failure = try #require(self.failure(bytes))
        #expect(failure.contains(told), "\(failure)")
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
            """
        let found = try batches(text) { secrets.complete($0) }
        try secrets.write()
        let told = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { $0.split(separator: ",") }
        #expect(told.map(\.first) == ["device_token", "one", "four"] && secrets.count == 2)
        #expect(told.dropFirst().allSatisfy { $0[1].count == 32 } && told[1][1] != told[2][1])
        let lines = try #require(found.first).text.split(separator: "\n").map(String.init)
        #expect(lines[0] == #"{"kind":"device","id":"one","platform":"ios","secret":"\#(told[1][1])"}"#)
        #expect(lines[4] == #"{"kind":"device","id":"four" ,"secret":"\#(told[2][1])"}"#)
        #expect(lines[1...3].allSatisfy { text.contains($0) })
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        #expect(throws: Failure.file(path: path, reason: "is there already, and is not overwritten")) {
            _ = try DeviceSecrets(newFile: path)
        }
    }
}
