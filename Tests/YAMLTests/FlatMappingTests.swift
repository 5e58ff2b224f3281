import Testing
import YAML

@Suite("A flat YAML mapping")
struct FlatMappingTests {
    @Test("keeps names, values and lines in order")
    func order() throws {
        let text = """
            # settings
            http: 127.0.0.1:8080

            mqtt: "[::1]:1883"   # quoted
            data: '/srv/psp data'
            window: 20
            """
        let pairs = try FlatMapping(text).pairs
        #expect(pairs.map(\.key) == ["http", "mqtt", "data", "window"])
        #expect(pairs.map(\.value) == ["127.0.0.1:8080", "[::1]:1883", "/srv/psp data", "20"])
        #expect(pairs.map(\.line) == [2, 4, 5, 6])
    }

    @Test("may be empty, or comments only", arguments: ["", "\n", "# nothing\n", "---\n", "{}"])
    func empty(text: String) throws {
        #expect(try FlatMapping(text).pairs.isEmpty)
    }

    @Test(
        "refuses what is richer, and says where",
        arguments: [
            ("a: 1\na: 2\n", 2, .repeated("a")),
            ("a: 1\nb:\n  c: 2\n", 3, .richValue(of: "b")),
            ("a: [1, 2]\n", 1, .richValue(of: "a")),
            ("- a\n", 1, .noMapping),
            ("just text\n", 1, .noMapping),
            ("a: 1\n---\nb: 2\n", 2, .secondDocument),
        ] as [(String, Int, YAMLProblem)])
    func richer(text: String, line: Int, problem: YAMLProblem) {
        #expect(throws: YAMLError(line: line, problem: problem)) { try FlatMapping(text) }
    }

    @Test("reports libyaml's own complaint with its line")
    func malformed() {
        #expect(throws: YAMLError.self) { try FlatMapping("a: 1\n\tb: \"open\n") }
        #expect(throws: YAMLError.self) { try FlatMapping([0x61, 0x3a, 0x20, 0xff, 0xfe]) }
    }

    @Test("an alias is no plain value")
    func alias() {
        #expect(throws: YAMLError.self) { try FlatMapping("a: &x 1\nb: *x\n") }
    }
}
