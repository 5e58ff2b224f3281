import Base
import Testing

@testable import Libevent

@Suite("How many connections may come, and from where")
struct ConnectionAdmissionTests {
    private static let second: Int64 = 1_000_000_000

    private func admission(_ set: (inout ConnectionAdmission.Limits) -> Void) throws -> ConnectionAdmission {
        var limits = ConnectionAdmission.Limits()
        set(&limits)
        return try #require(ConnectionAdmission(limits))
    }

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    @Test("nothing is bounded unless it is set")
    func none() { #expect(ConnectionAdmission(ConnectionAdmission.Limits()) == nil) }

    @Test("an address has so many connections at a time, below and at the bound; one above is refused, others are not")
    func perAddress() throws {
        let admission = try admission { $0.perAddress = 3 }
        let (one, other) = (try address("192.0.2.1"), try address("192.0.2.2"))
        for _ in 0..<3 { #expect(admission.admit(one, at: 0)) }
        #expect(!admission.admit(one, at: 0))
        #expect(admission.admit(other, at: 0))
        // A balancer's stands for many.
        for _ in 0..<10 { #expect(admission.admit(nil, at: 0)) }
        admission.leave(one)
        #expect(admission.admit(one, at: 5 * Self.second))
        #expect(!admission.admit(one, at: 9 * Self.second))
        #expect(admission.refusals.perAddress == 2)
    }

    @Test("a network of IPv6 is one address")
    func network() throws {
        let admission = try admission { $0.perAddress = 1 }
        #expect(try admission.admit(address("2001:db8:0:1::1"), at: 0))
        #expect(try !admission.admit(address("2001:db8:0:1:ffff::2"), at: 0))
        #expect(try admission.admit(address("2001:db8:0:2::1"), at: 0))
        admission.leave(try address("2001:db8:0:1::9"))
        #expect(try admission.admit(address("2001:db8:0:1::1"), at: 0))
    }

    @Test("so many come in a second, and as many in the next")
    func perSecond() throws {
        let admission = try admission { $0.perSecond = 2 }
        let address = try address("192.0.2.1")
        for second in 1...3 as ClosedRange<Int64> {
            #expect(admission.admit(address, at: second * Self.second))
            #expect(admission.admit(nil, at: second * Self.second + 1))
            #expect(!admission.admit(address, at: (second + 1) * Self.second - 1))
        }
        #expect(admission.refusals.perSecond == 3)
    }

    @Test("so many come of one address in a second, which counts no one else's")
    func perSecondOfAddress() throws {
        let admission = try admission {
            $0.perSecondOfAddress = 2
            $0.perSecond = 4
        }
        let (one, other) = (try address("192.0.2.1"), try address("192.0.2.2"))
        for _ in 0..<2 { #expect(admission.admit(one, at: 0)) }
        // What is refused takes nobody's place.
        for _ in 0..<5 { #expect(!admission.admit(one, at: 0)) }
        for _ in 0..<2 { #expect(admission.admit(other, at: 0)) }
        #expect(admission.admit(one, at: Self.second))
        #expect(admission.refusals.perSecondOfAddress == 5)
    }

    @Test("a server closes what is above the bound as it comes, and serves what is not")
    func server() async throws {
        var limits = HTTPLimits()
        limits.admission = try admission { $0.perAddress = 2 }
        try await withDescriber(limits: limits) { server, address in
            let request = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"
            var clients: [RawSocket] = []
            for _ in 0..<2 {
                clients.append(try RawSocket(address))
                try clients.last?.send(request)
                #expect(try clients.last?.readAnswer().status == 200)
            }
            #expect(try RawSocket(address).readToEnd() == "")
            clients.removeLast()
            try await wait(until: "its end is known") { await server.connectionCount == 1 }
            let again = try RawSocket(address)
            try again.send(request)
            #expect(try again.readAnswer().status == 200)
        }
    }
}
