import Libevent
import Testing

@testable import Web

@Suite("Which route a request goes")
struct RoutingTests {
    @Test("a literal address is exact")
    func literal() {
        let pattern = Pattern("/healthz")
        #expect(pattern.match("/healthz") == [])
        for path in ["/healthz/", "/Healthz", "/health", "", "/"] { #expect(pattern.match(path) == nil, "\(path)") }
    }

    @Test("a parameter is one whole segment, as it was sent")
    func parameter() {
        let pattern = Pattern("/psp/push/task/{task_id}/devices")
        #expect(pattern.match("/psp/push/task/a%2Fb/devices") == ["a%2Fb"])
        for path in ["/psp/push/task/devices", "/psp/push/task//devices", "/psp/push/task/a/b/devices", "/psp/push/task/a", ""] {
            #expect(pattern.match(path) == nil, "\(path)")
        }
    }

    @Test("an address may have several parameters")
    func parameters() {
        let pattern = Pattern("/orgs/{org}/devices/{device}")
        #expect(pattern.names == ["org", "device"])
        #expect(pattern.match("/orgs/o/devices/d") == ["o", "d"])
        #expect(pattern.match("/orgs/o/devices/") == nil)
    }

    @Test("a wildcard takes all that is left, which may be nothing")
    func wildcard() {
        let pattern = Pattern("/console/{path...}")
        #expect(pattern.match("/console/a/b.css") == ["a/b.css"])
        #expect(pattern.match("/console/") == [""])
        #expect(pattern.match("/console") == nil)
        #expect(Pattern("/{org}/files/{path...}").match("/o/files/x/../y") == ["o", "x/../y"])
    }

    @Test("of several addresses that match, the first segment in which they differ decides: literal, parameter, wildcard")
    func specificity() throws {
        let written = ["/{path...}", "/a/{path...}", "/{x}/b", "/a/{x}", "/a/{x}/c", "/a/b", "/a/b/{path...}"]
        for patterns in [written, written.reversed()] {
            let table = RouteTable<TestFront>(patterns.map { Route(.get, $0, access: .anyone) { _, _ in .text("") } })
            let expected = [
                "/a/b": "/a/b", "/a/x": "/a/{x}", "/a/x/c": "/a/{x}/c", "/a/b/c": "/a/b/{path...}", "/a/x/d": "/a/{path...}",
                "/x/b": "/{x}/b", "/x/c": "/{path...}", "/": "/{path...}",
            ]
            for (path, pattern) in expected {
                #expect(try table.match(.get, path).route.pattern.text == pattern, "\(path)")
            }
        }
    }

    @Test("an address is compared by its bytes, not by what Unicode takes for the same text")
    func bytes() {
        // The Kelvin sign is K, and a letter with its accent is the accented letter.
        #expect(Pattern("/K").match("/\u{212A}") == nil)
        #expect(Pattern("/\u{E9}").match("/e\u{301}") == nil)
        #expect(Pattern("/\u{E9}").match("/\u{E9}") == [])
        #expect(Pattern("/\u{C5}").match("/\u{C5}") == [])
        #expect(Pattern("/A\u{30A}").match("/\u{212B}") == nil)
    }

    @Test("a method that several addresses take is named once")
    func methodsOfSeveral() {
        let table = RouteTable<TestFront>(
            ["/a/b", "/a/{x}", "/{path...}"].map { Route(.get, $0, access: .anyone) { _, _ in .text("") } })
        #expect(throws: Rejection.methodNotAllowed([.get, .head, .options])) { try table.match(.put, "/a/b") }
    }

    @Test("a less specific address is asked too when the method is another")
    func methods() throws {
        let table = RouteTable<TestFront>([
            Route(.post, "/console/login", access: .anyone) { _, _ in .text("") },
            Route(.get, "/console/{path...}", access: .anyone) { _, _ in .text("") },
        ])
        #expect(try table.match(.get, "/console/login").route.pattern.text == "/console/{path...}")
        #expect(try table.match(.head, "/console/login").route.method == .get)
        #expect(throws: Rejection.methodNotAllowed([.post, .get, .head, .options])) { try table.match(.put, "/console/login") }
        #expect(throws: Rejection.methodNotAllowed([.get, .head, .options])) { try table.match(.post, "/console/x") }
        #expect(throws: Rejection.noSuchAddress) { try table.match(.get, "/consol") }
        #expect(throws: Rejection.noSuchAddress) { try table.match(.options, "/consol") }
        #expect(throws: Rejection.methodNotAllowed([.get, .head, .post, .options])) { try table.match(.options, "*") }
        #expect(throws: Rejection.noSuchAddress) { try table.match(.get, "*") }
    }
}
