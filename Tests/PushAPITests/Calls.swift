import Push
import TestKit

@testable import PushAPI

/// A request as bytes: exactly these header lines, in this order.
struct Call {
    var method = "POST"
    var target = "/psp/push/msg"
    var headers: [(name: String, value: String)] = []
    var body = ""

    /// With the body and its length.
    var bytes: [UInt8] {
        var call = self
        if !body.isEmpty || method == "POST" || method == "PUT" { call = with("Content-Length", String(body.utf8.count)) }
        return call.headBytes + Array(body.utf8)
    }

    /// Without a body, and saying of one only what the headers say.
    var headBytes: [UInt8] {
        var text = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        return Array((text + "\r\n").utf8)
    }

    func with(_ name: String, _ value: String) -> Call {
        var call = self
        call.headers.append((name, value))
        return call
    }

    func without(_ name: String) -> Call {
        var call = self
        call.headers.removeAll { $0.name == name }
        return call
    }

    func replacing(_ name: String, _ value: String) -> Call { without(name).with(name, value) }

    /// The three headers of an app, as of a time.
    static func credentials(of app: App = Served.app, at time: Int64 = noon) -> [(name: String, value: String)] {
        [
            ("appkey", app.key.text), ("timestamp", String(time)),
            (
                "validation-token",
                ValidationToken.make(appKey: app.key, masterSecret: app.masterSecret, timestamp: String(time))
            ),
        ]
    }

    /// A push that nothing is wrong with.
    static func push(_ body: String = messageBody, by app: App = Served.app, to target: String = "/psp/push/msg") -> Call {
        Call(target: target, headers: credentials(of: app), body: body)
    }

    /// An app's look-up.
    static func get(_ target: String, by app: App = Served.app) -> Call {
        Call(method: "GET", target: target, headers: credentials(of: app))
    }

    /// An operator's call.
    static func admin(_ method: String, _ target: String, _ body: String = "") -> Call {
        Call(method: method, target: target, headers: [("Authorization", "Bearer \(Served.adminToken)")], body: body)
    }
}

let messageBody = """
    {"type":"unicast","device_tokens":"d-1","payload":{"display_type":"notification","body":{"title":"hi"}}}
    """
let configurationBody = """
    {"type":"groupcast","org_id":"root","payload":{"body":"cache=2&submit=10"}}
    """

extension Served {
    /// Sends a call to the callers' listener on a connection of its own.
    func send(_ call: Call) throws -> HTTPReply {
        let connection = try RawConnection(port: pushPort)
        try connection.send(call.bytes)
        return try connection.reply(toHead: call.method == "HEAD")
    }

    /// Sends a call to the operators' listener on a connection of its own.
    func operate(_ call: Call) throws -> HTTPReply {
        let connection = try RawConnection(port: adminPort)
        try connection.send(call.bytes)
        return try connection.reply(toHead: call.method == "HEAD")
    }
}
