import Base
import Crypto
import Foundation
import JSON
import Libevent

/// Asks a server through the balancer in front of it, and learns by the server's own trace what came of the request.
struct BalancerProbe {
    let admin: ServerClient
    let balancer: ServerClient

    /// What a client might claim to be: an address that is nobody's (RFC 5737).
    static let forged = "198.51.100.7"
    /// As large as a push may be (docs/rest.md).
    private static let largestBody = 64 << 10
    /// How long the request has to come to the server.
    private static let patience = Duration.seconds(5)

    func sight() async throws -> BalancerSight {
        let ready = try await balancer.ask(.get, "/readyz")
        // An app that there is not: the request is refused, and nothing is done by it.
        let name = "doctor-" + Hex.encode(Random.bytes(6))
        let (seen, reply) = try await look(for: name)
        let large = try? await balancer.ask(
            .post, "/psp/push/msg",
            headers: [("appkey", name), ("Content-Type", "application/json"), ("Accept-Language", Speech.acceptLanguage)],
            body: [UInt8](repeating: UInt8(ascii: " "), count: Self.largestBody))
        return BalancerSight(
            balancer: NetworkAddresses.of(host: balancer.endpoint.host), own: NetworkAddresses.own, readiness: ready.status,
            client: seen?.client, requestID: name, seenID: seen?.requestID,
            closes: reply.header("Connection")?.lowercased() == "close", largeBody: large?.status,
            isLargeAnswered: large.map { message(of: $0) != nil }, largeMessage: large.flatMap(message),
            idleSeconds: try await idleSeconds())
    }

    /// What the server says of a request that it refuses; `nil` where it is the balancer that has answered.
    private func message(of response: HTTPResponse) -> String? {
        guard let root = try? JSONDocument(parsing: response.body).root, root["ret"]?.string != nil else { return nil }
        return Output.printable(root["data"]?["error_msg"]?.string ?? "")
    }

    /// What the server says of how long it keeps a connection: `Keep-Alive: timeout=75`.
    private func idleSeconds() async throws -> Int? {
        let value = try await admin.ask(.get, "/healthz").header("Keep-Alive")
        return value.flatMap { $0.split(separator: "=").last }.flatMap { Int($0) }
    }

    private struct Seen: Sendable {
        let client: String
        let requestID: String
    }

    /// Sends the request until the server has seen it, or for as long as there is patience.
    private func look(for name: String) async throws -> (Seen?, HTTPResponse) {
        var json = JSONWriter()
        json.object { json in
            json.member("appkey", name)
            json.member("minutes", 1)
        }
        guard let trace = try await admin.send(Call(.post, TraceCommand.path, body: json.bytes)).data["trace_id"]?.string else {
            throw Failure.foreignReply(endpoint: admin.endpoint, status: 201)
        }
        let outcome: Result<(Seen?, HTTPResponse), Failure>
        do throws(Failure) { outcome = .success(try await look(for: name, by: trace)) } catch { outcome = .failure(error) }
        // The program may end after this; a trace that nobody needs is not left behind.
        _ = try? await admin.send(Call(.delete, TraceCommand.path + [trace]))
        return try outcome.get()
    }

    private func look(for name: String, by trace: String) async throws(Failure) -> (Seen?, HTTPResponse) {
        let seen = Locked<Seen?>(nil)
        let end = StreamEnd()
        async let following: Void = follow(trace, until: end, seen)
        let outcome: Result<(Seen?, HTTPResponse), Failure>
        do throws(Failure) { outcome = .success(try await ask(for: name, seen)) } catch { outcome = .failure(error) }
        // Nobody reads any more when the program ends.
        end()
        await following
        return try outcome.get()
    }

    private func follow(_ trace: String, until end: StreamEnd, _ seen: Locked<Seen?>) async {
        // Where there is no stream, nothing is seen, which is told.
        try? await admin.follow(Call(.get, TraceCommand.path + [trace, "events"]), until: end) { event in
            guard let event = try? JSONDocument(parsing: Array(event.utf8)).root, event["event"]?.string == "request",
                let client = event["client"]?.string
            else { return }
            seen.withLock { $0 = Seen(client: client, requestID: event["request_id"]?.string ?? "") }
        }
    }

    private func ask(for name: String, _ seen: Locked<Seen?>) async throws(Failure) -> (Seen?, HTTPResponse) {
        let headers = [
            ("appkey", name), ("X-Forwarded-For", Self.forged), ("Forwarded", "for=\(Self.forged)"), ("X-Request-Id", name),
        ]
        let deadline = ContinuousClock.now + Self.patience
        while true {
            let reply = try await balancer.ask(.get, "/psp/push/tasks", headers: headers)
            try? await Task.sleep(for: .milliseconds(200))
            let found = seen.withLock { $0 }
            if found != nil || ContinuousClock.now > deadline { return (found, reply) }
        }
    }
}
