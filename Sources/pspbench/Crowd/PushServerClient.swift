internal import Base
internal import Foundation
internal import Libevent

/// The few calls of the server's REST interface that a scenario needs.
struct PushServerClient {
    private let push: HTTPClient
    private let admin: HTTPClient
    private let adminToken: String
    let appkey: String
    let secret: String

    init(_ server: RunningServer, appkey: String, secret: String, on loop: EventLoop) {
        push = HTTPClient(host: server.http.host, port: server.http.port, on: loop)
        admin = HTTPClient(host: server.admin.host, port: server.admin.port, on: loop)
        adminToken = server.adminToken
        (self.appkey, self.secret) = (appkey, secret)
    }

    /// Registers the app, an organisation `appkey`, and devices `appkey-NUMBER` with the secret `secret-NUMBER` in it.
    func register(devices: Int) async throws {
        try await operate(
            .put, "/psp/admin/apps/\(appkey)", #"{"name":"load","master_secret":"\#(secret)","interfaces":["msg","config"]}"#)
        try await operate(.put, "/psp/admin/orgs/\(appkey)", #"{"name":"load"}"#)
        for first in stride(from: 0, to: devices, by: 50_000) {
            let lines = (first..<min(first + 50_000, devices)).map {
                #"{"kind":"device","id":"\#(appkey)-\#($0)","platform":"android","org_id":"\#(appkey)","secret":"secret-\#($0)"}"#
            }
            try await importLines(lines.joined(separator: "\n"))
        }
    }

    /// Sends a groupcast to all; returns its task.
    func groupcast(_ mark: Mark) async throws -> String {
        let target = #""type":"groupcast","org_id":"\#(appkey)""#
        let body = HTTPWire.body(target: target, mark: mark, size: 140, tag: nil)
        let answer = try await push.request(.post, "/psp/push/msg", headers: signature, body: Array(body.utf8))
        return try decode(Accepted.self, answer).task_id
    }

    /// A task's counts.
    func counts(of task: String) async throws -> Counts {
        try decode(Report.self, try await push.request(.get, "/psp/push/task/\(task)", headers: signature)).counts
    }

    /// The counts of all tasks with a tag.
    func counts(tagged tag: String) async throws -> Counts {
        try decode(Counts.self, try await push.request(.get, "/psp/push/stats?tag=\(tag)", headers: signature))
    }

    struct Counts: Codable, Sendable {
        var targeted: Int
        var delivered: Int
        var pending: Int
    }

    private struct Envelope<Content: Decodable>: Decodable { var data: Content }
    private struct Accepted: Decodable { var task_id: String }
    private struct Report: Decodable { var counts: Counts }

    private var signature: [(String, String)] {
        HTTPWire.credentials(appkey: appkey, secret: secret, second: WallClock.microseconds / 1_000_000)
    }

    /// Returns when every line is applied: what is not within a few seconds goes on behind the answer.
    private func importLines(_ lines: String) async throws {
        var imported = try decode(Imported.self, try await operate(.post, "/psp/admin/import", lines))
        while imported.state == "running", let id = imported.import_id {
            try await Task.sleep(for: .milliseconds(100))
            imported = try decode(Imported.self, try await operate(.get, "/psp/admin/imports/\(id)"))
        }
        if imported.failed > 0 { throw BenchError("import: \(imported.failed) lines failed") }
    }

    private struct Imported: Decodable {
        var failed: Int
        var state: String?
        var import_id: String?
    }

    private struct Nothing: Decodable {}

    @discardableResult
    private func operate(_ method: HTTPMethod, _ path: String, _ body: String = "") async throws -> HTTPResponse {
        let headers = [("Authorization", "Bearer \(adminToken)")]
        let answer = try await admin.request(method, path, headers: headers, body: Array(body.utf8), timeout: .seconds(120))
        _ = try decode(Nothing.self, answer)
        return answer
    }

    private func decode<Content: Decodable>(_: Content.Type, _ answer: HTTPResponse) throws -> Content {
        guard (200..<300).contains(answer.status) else {
            throw BenchError("HTTP \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
        }
        return try JSONDecoder().decode(Envelope<Content>.self, from: Data(answer.body)).data
    }
}
