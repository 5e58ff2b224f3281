import Foundation
import JSON
import Testing

@testable import pspctl

@Suite("What is shown")
struct OutputTests {
    @Test("columns are as wide as a terminal shows them, numbers to the right, absent values as a dash")
    func table() throws {
        var table = Table([Column("ORG", "org_id"), Column("NAME", "name"), Column("DEVICES", "devices", isNumber: true)])
        table.add(try JSONDocument(parsing: #"{"org_id":"a","name":"公安局","devices":12}"#).root)
        table.add(try JSONDocument(parsing: #"{"org_id":"traffic","devices":3}"#).root)
        #expect(
            table.lines() == [
                "ORG      NAME    DEVICES",
                "a        公安局       12",
                "traffic  -             3",
            ])
    }

    @Test("nodes are told with their state, what is left of their leases or how long ago they ended, and which one was asked")
    func nodes() throws {
        func lines() throws -> [[String]] {
            var table = Table(NodesCommand.columns)
            for (name, state, rest) in [
                ("a", "serving", #""lease":2940,"own":true"#), ("b", "draining", #""lease":120,"own":false"#),
                ("c", "lapsed", #""lease":-40321,"own":false"#), ("d", "serving", #""own":true"#),
            ] {
                let members = #""node":"\#(name)","state":"\#(state)","lag":3,"sessions":5,"version":"1","started_at":0,\#(rest)"#
                table.add(try JSONDocument(parsing: "{\(members)}").root)
            }
            // Two blanks are between columns, one within.
            return table.lines().map { $0.replacing(#/  +/#, with: "|").split(separator: "|").map(String.init) }
        }
        let found = try lines()
        #expect(found[0].dropLast() == ["NODE", "STATE", "LEASE", "BEHIND", "DEVICES", "VERSION"])
        #expect(found[1].prefix(5) == ["a (asked)", "serving", "2.9 s left", "3", "5"])
        #expect(found[2].prefix(3) == ["b", "draining", "0.1 s left"])
        #expect(found[3].prefix(3) == ["c", "lapsed", "ended 40 s ago"])
        #expect(found[4].prefix(3) == ["d (asked)", "serving", "-"])
        let chinese = try Speech.$language.withValue(.chinese) { try lines() }
        #expect(chinese[3].prefix(3) == ["c", "租约失效（lapsed）", "40 秒前结束"])
    }

    @Test("a column that may be left out is, where no row has anything in it")
    func optionalColumns() throws {
        let columns = [Column("WHO", "who"), Column("NODE", "node", isOptional: true), Column("CODE", "code", isNumber: true)]
        func lines(_ rows: String...) throws -> [String] {
            var table = Table(columns)
            for row in rows { table.add(try JSONDocument(parsing: row).root) }
            return table.lines()
        }
        #expect(try lines(#"{"who":"ann","code":0}"#) == ["WHO  CODE", "ann     0"])
        let mixed = try lines(#"{"who":"ann","node":"n1","code":0}"#, #"{"who":"bob","code":7}"#)
        #expect(mixed == ["WHO  NODE  CODE", "ann  n1       0", "bob  -        7"])
    }

    @Test("steps that follow each other closely are told to the millisecond")
    func precise() throws {
        #expect(Column.preciseTime(90_100_007) == Column.timeOfDay(90_100_007) + ".007")
        #expect(Column.preciseTime(90_100_000).hasSuffix(".000") && Column.preciseTime(-1).hasSuffix(".999"))
        #expect(TraceCommand.line(#"{"time":90100120,"event":"sent"}"#).contains(".120  "))
        let sent = try JSONDocument(parsing: Array(#"{"reason":"sent","sent_to_device_at":90100120}"#.utf8)).root
        #expect(ExplainCommand.sentence(sent).contains(".120 "))
    }

    @Test(
        "a secret that is short, or the name itself, is weak",
        arguments: [
            ("123456789012345", "demo", true), ("1234567890123456", "demo", false),
            ("A-LONG-device-name", "a-long-DEVICE-name", true),
        ])
    func weakSecrets(secret: String, name: String, isWeak: Bool) {
        #expect(WeakSecret.isWeak(secret, of: name) == isWeak)
        var batch = ImportBatches.Batch(firstLine: 1)
        batch.bytes = Array(
            """
            {"kind":"device","id":"\(name)","secret":"\(secret)"}

            {"kind":"app","id":"\(name)","master_secret":"\(secret)"}
            {"kind":"device","id":"other"}
            broken
            """.utf8)
        #expect(WeakSecret.count(in: batch) == (isWeak ? 2 : 0))
    }

    @Test("clocks are told in words, with what store time waits for")
    func clocks() throws {
        func lines(_ json: String) throws -> [String] { ClockLines.lines(of: try JSONDocument(parsing: json).root) }
        let plain = #"{"store_time":1000,"wall_clock":1000,"offset":0,"synchronised":true,"steps":0}"#
        #expect(try lines(plain).suffix(2) == ["synchronised  yes", "steps         0 since the start"])
        let members = #""store_time":1000,"wall_clock":90061000,"offset":90060000,"synchronised":false,"steps":1"#
        let large = try lines("{\(members),\"ahead\":{\"since\":90000000,\"waits_for\":\"synchronisation\"}}")
        #expect(large[1].hasSuffix("(1 d 1 h behind the wall clock)"))
        #expect(large.last?.hasSuffix("or for `pspctl clock accept`.") == true)
        let small = try lines("{\(members),\"ahead\":{\"since\":90000000,\"waits_for\":\"time\",\"follows_at\":90100000}}")
        #expect(small.last?.hasSuffix("\(Column.localTime(90_100_000)) unless it is set again.") == true)
        #expect([0, 999, 61_000, 3_600_000].map { ClockLines.duration($0) } == ["0 ms", "999 ms", "1 min 1 s", "1 h"])
    }

    @Test("a status is told in words, with what the store does not tell, in both languages")
    func status() throws {
        let members = #"""
            "version":"1","started_at":0,"uptime":61000,\
            "connections":{"devices":3,"online":2,"callers":1,"operators":1},\
            "loops":[{"devices":3,"online":2,"callers":1},{"devices":0,"online":0,"callers":0,"late":true}],\
            "pushes":{"total":1200,"per_second_10s":12.5,"per_second_60s":3.0},\
            "backlog":{"unacknowledged":5,"windows_full":1,"awaiting_pages":0,"awaiting_store":4,"longest_wait":2500},\
            "store":{"health":"behind","longest_hold":{"call":1,"commit":900}},\
            "disk":{"database":4096,"log":1610612736,"free":1099511627776}
            """#.replacing("\\\n", with: "")
        let status = try JSONDocument(parsing: #"{"state":"behind",\#(members)}"#).root
        let lines = StatusLines.lines(of: status)
        #expect(lines[0] == "state             behind")
        #expect(lines[1].hasSuffix("pspd 1, up 1 min 1 s"))
        #expect(lines.contains { $0.hasSuffix("4 requests, the oldest since 2500 ms") })
        #expect(lines.contains { $0.hasSuffix("behind; longest hold: call 1 ms, commit 900 ms") })
        #expect(lines.contains { $0.hasSuffix("database 4.0 KiB, log 1.5 GiB, 1.0 TiB free") })
        #expect(lines.filter { $0.hasSuffix("not told by the store within a second") }.count == 2)
        #expect(
            lines.contains { $0.hasPrefix("pushes ") && $0.hasSuffix("3.0") && $0.contains(" 1200 ") && $0.contains(" 12.5 ") })
        #expect(lines.contains { $0.hasPrefix("1 (does not answer) ") })
        let chinese = Speech.$language.withValue(.chinese) { StatusLines.lines(of: status) }
        #expect(chinese.count == lines.count && chinese[0] == "状态      处理不过来（behind）")
    }

    @Test("on a narrow terminal the widest columns give way, and numbers keep their digits")
    func narrowTable() throws {
        var table = Table([Column("ORG", "org_id"), Column("NAME", "name"), Column("DEVICES", "devices", isNumber: true)])
        table.add(try JSONDocument(parsing: #"{"org_id":"traffic-north","name":"北区交通警察支队指挥中心","devices":123456789}"#).root)
        for width in [40, 30, 20] {
            for line in table.lines(width: width) {
                #expect(Terminal.width(of: line) <= max(width, 13 + 2 + 6 + 2 + 9), "\(width): \(line)")
                #expect(line.hasPrefix("ORG") || line.hasPrefix("traffic-north  "), "an identifier is not cut")
                #expect(line.hasSuffix("DEVICES") || line.hasSuffix("123456789"))
            }
        }
        #expect(table.lines(width: 40)[1].hasPrefix("traffic-north  北区交通"))
        #expect(table.lines(width: 40)[1].contains("…"))
    }

    @Test("help is wrapped at the terminal's width, but for the lines of examples")
    func help() {
        let command = "  pspctl push unicast phone-1 --app demo --secret SECRET --title Hello"
        let text =
            "Words that go on and on until the line is full and more.\n\nEXAMPLES\n\(command)\n\n"
            + "More words that go on and on until it is full."
        let lines = HelpText.wrapped(text, to: 40).split(separator: "\n")
        #expect(lines.contains(Substring(command)))
        #expect(lines.allSatisfy { $0.count <= 40 || $0 == command })
        #expect(HelpText.wrapped("一二三四五六七八九十一二三四五六七八九，十。", to: 40) == "一二三四五六七八九十一二三四五六七八九，\n十。")
        let option = "  --secret <secret>       Its master secret; else PSP_SECRET, which others cannot see."
        #expect(
            HelpText.wrapped(option, to: 60).split(separator: "\n").last?.hasPrefix(String(repeating: " ", count: 26)) == true)
    }

    @Test("a refusal names flags, not fields")
    func flags() {
        #expect(Flags.name(of: "payload.body.title", own: [:]) == "--title")
        #expect(Flags.name(of: "org_id", own: ["org_id": "--scope"]) == "--scope")
        #expect(Flags.name(of: "unknown", own: [:]) == "unknown")
        #expect(
            Flags.named("a required field is missing: platform, org_id", own: [:])
                == "a required field is missing: --platform, --org")
        #expect(Flags.named("缺少必填参数：platform、org_id", own: ["org_id": "<org>"]) == "缺少必填参数：--platform、<org>")
    }

    @Test("a server that takes no changes is told with its cause")
    func hindrance() throws {
        func told(_ data: String, in directory: String? = nil) -> String? {
            Hindrance(answer: Array(#"{"ret":"FAIL","data":{"error_code":2302,\#(data)}}"#.utf8))?.words(directory: directory)
        }
        #expect(told(#""cause":"disk_full""#, in: "/data")?.hasPrefix("the disk of its data directory /data is full") == true)
        #expect(told(#""cause":"failed","detail":"fsync""#)?.contains("(fsync)") == true)
        #expect(told(#""cause":"new one""#) == "new one")
        #expect(
            told(#""cause":"unreachable","detail":"no answer""#)?.hasSuffix("(no answer); it goes on by itself when it can")
                == true)
        let unfit = #""cause":"unreachable","detail":"the database has no schema","remedy":"pspctl store migrate""#
        #expect(told(unfit) == "its store cannot be used (the database has no schema): pspctl store migrate")
        #expect(told(#""error_msg":"x""#) == nil && Hindrance(answer: Array("<html>".utf8)) == nil)
        Speech.$language.withValue(.chinese) { #expect(told(#""cause":"disk_full""#)?.contains("磁盘已满") == true) }
    }

    @Test("control characters are not obeyed")
    func controls() {
        #expect(Output.printable("a\u{1B}[31mb") == "a\u{FFFD}[31mb")
    }

    @Test("a refusal shows code, text and field")
    func refusal() throws {
        let endpoint = Endpoint(host: "127.0.0.1", port: 1)
        let body = #"{"ret":"FAIL","data":{"error_code":2102,"error_msg":"required field missing","field":"platform"}}"#
        do {
            _ = try Reply(status: 400, body: Array(body.utf8), from: endpoint)
            Issue.record("accepted")
        } catch {
            #expect(error == .refused(status: 400, code: 2102, text: "required field missing", field: "platform"))
            #expect("\(error)" == "refused with 2102 (HTTP 400): required field missing [platform]")
        }
    }
}
