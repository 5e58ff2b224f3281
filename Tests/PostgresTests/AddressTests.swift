import Base
import Testing

@testable import Postgres

@Suite("Addresses and the choice of a host")
struct AddressTests {
    @Test("hosts are paired with ports as libpq pairs them")
    func hosts() throws {
        let several = try PostgresAddress(parsing: "postgres://psp@db1,db2:5433/store?sslmode=verify-full")
        #expect(several.hosts.map(\.name) == ["db1", "db2"])
        #expect(several.hosts.map(\.port) == ["", "5433"])
        #expect(several["sslmode"] == "verify-full")
        let words = try PostgresAddress(parsing: "host=db1,/run/postgresql port=5433 dbname=store")
        #expect(words.hosts.map(\.name) == ["db1", "/run/postgresql"])
        #expect(words.hosts.map(\.port) == ["5433", "5433"])
        #expect(try PostgresAddress(parsing: "dbname=store").hosts.map(\.name) == [""])
    }

    @Test("an address is told without its password")
    func description() throws {
        let address = try PostgresAddress(parsing: "postgres://psp:hidden@db1,db2:5433/store?sslmode=require")
        #expect(address.description == "postgres://psp@db1,db2:5433/store")
    }

    @Test(
        "what is no address is refused", arguments: ["mysql://x", "postgres://h:1,h:2,h:3/?port=1,2", "nonsense", "colour=red"])
    func malformed(_ text: String) {
        #expect(throws: PostgresAddress.Malformed.self) { try PostgresAddress(parsing: text) }
    }

    @Test(
        "a parameter's value that libpq does not take is refused at once, in its words",
        arguments: [
            ("postgres://h/d?sslmode=verify", #"invalid sslmode value: "verify""#),
            ("postgres://h/d?target_session_attrs=write", #"invalid target_session_attrs value: "write""#),
            ("postgres://h/d?gssencmode=x", #"invalid gssencmode value: "x""#),
            ("postgres://h/d?channel_binding=x", #"invalid channel_binding value: "x""#),
            ("postgres://h/d?ssl_min_protocol_version=3", #"invalid ssl_min_protocol_version value: "3""#),
            ("postgres://h/d?service=none-of-that-name", #"definition of service "none-of-that-name" not found"#),
            ("postgres://h/d?connect_timeout=soon", #"invalid integer value "soon" for connection option "connect_timeout""#),
            ("postgres://h/d?tcp_user_timeout=1s", #"invalid integer value "1s" for connection option "tcp_user_timeout""#),
            ("postgres://h/d?sslsni=yes", #"invalid value "yes" for connection option "sslsni": 0 or 1"#),
            ("postgres://h:70000/d", #"invalid port number: "70000""#),
        ])
    func values(_ text: String, complaint: String) {
        #expect(throws: PostgresAddress.Malformed(description: complaint)) { try PostgresAddress(parsing: text) }
    }

    @Test("a file of TLS that cannot be read is found, unless no TLS is wanted")
    func files() throws {
        func found(_ query: String) throws -> String? {
            try PostgresAddress(parsing: "postgres://h/d?\(query)").unreadableFile.map { "\($0.keyword) \($0.path)" }
        }
        #expect(try found("sslmode=verify-full&sslrootcert=/nowhere/ca.pem") == "sslrootcert /nowhere/ca.pem")
        #expect(try found("sslcert=/etc/passwd&sslkey=/nowhere/key") == "sslkey /nowhere/key")
        for good in ["sslmode=disable&sslrootcert=/nowhere/ca.pem", "sslrootcert=/etc/passwd", "sslmode=verify-full"] {
            #expect(try found(good) == nil)
        }
    }

    @Test("what the address says goes before the options")
    func parameters() throws {
        let plain = try options("postgres://psp@db1/store") { $0.settings = [("statement_timeout", "5 s")] }
        let endpoint = Endpoint(host: "db1", address: "192.0.2.1", port: "")
        #expect(value("target_session_attrs", of: plain, endpoint) == "read-write")
        #expect(value("tcp_user_timeout", of: plain, endpoint) == "5000")
        #expect(value("host", of: plain, endpoint) == "db1")
        #expect(value("hostaddr", of: plain, endpoint) == "192.0.2.1")
        #expect(value("options", of: plain, endpoint) == "-c statement_timeout=5\\ s")
        let own = try options("postgres://psp@db1/store?target_session_attrs=any&tcp_user_timeout=1&options=-c%20a.b%3Dc") {
            $0.settings = [("x.y", "z")]
        }
        #expect(value("target_session_attrs", of: own, endpoint) == "any")
        #expect(value("tcp_user_timeout", of: own, endpoint) == "1")
        #expect(value("options", of: own, endpoint) == "-c a.b=c -c x.y=z")
    }

    private func value(_ keyword: String, of options: PostgresOptions, _ endpoint: Endpoint) -> String? {
        let parameters = ConnectionParameters(options, password: nil, endpoint)
        return parameters.keywords.firstIndex(of: keyword).map { parameters.values[$0] }
    }

    @Test("a round begins with the host that had the last session")
    func round() {
        let endpoints = ["a", "b", "c"].map { Endpoint(host: $0, address: "", port: "") }
        func order(beginningWith last: Endpoint?) -> String {
            var round = HostRound(endpoints, beginningWith: last)
            var names = ""
            while let next = round.next() { names += next.host }
            return names
        }
        #expect(order(beginningWith: nil) == "abc")
        #expect(order(beginningWith: endpoints[1]) == "bca")
        #expect(order(beginningWith: Endpoint(host: "gone", address: "", port: "")) == "abc")
    }

    @Test("pauses double up to the last, at least the half of each, and begin anew after a session")
    func pace() {
        var random = SplitMix(seed: 1)
        var pace = RetryPace(first: .milliseconds(100), last: .seconds(1))
        for whole in [100, 200, 400, 800, 1000, 1000] {
            let pause = pace.next(using: &random)
            #expect(pause >= .milliseconds(whole) / 2 && pause < .milliseconds(whole))
        }
        pace.succeeded()
        #expect(pace.next(using: &random) < .milliseconds(100))
    }
}
