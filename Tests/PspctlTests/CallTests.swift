import ArgumentParser
import Testing

@testable import pspctl

@Suite("What is sent for what is typed")
struct CallTests {
    private func parse<Command: ParsableCommand>(_: Command.Type, _ arguments: String...) throws -> Command {
        let parsed = try Pspctl.parseAsRoot(arguments)
        return try #require(parsed as? Command)
    }

    private func text(_ call: Call) -> String {
        let body = call.body.isEmpty ? "" : " " + String(decoding: call.body, as: UTF8.self)
        return "\(call.method.rawValue) \(call.target)\(body)"
    }

    @Test("an app is registered with its interfaces, its scope cleared on demand")
    func appAdd() throws {
        let added = try parse(AppAdd.self, "app", "add", "demo", "--name", "演示", "--interface", "msg", "--interface", "config")
        #expect(text(added.call) == #"PUT /psp/admin/apps/demo {"name":"演示","interfaces":["msg","config"]}"#)
        let opened = try parse(AppAdd.self, "app", "add", "demo", "--no-scope", "--disabled")
        #expect(text(opened.call) == #"PUT /psp/admin/apps/demo {"org_id":null,"disabled":true}"#)
    }

    @Test("an organisation moves below another one")
    func orgAdd() throws {
        let moved = try parse(OrganisationAdd.self, "org", "add", "traffic", "--parent", "police")
        #expect(text(moved.call) == #"PUT /psp/admin/orgs/traffic {"parent_id":"police"}"#)
    }

    @Test("a device is disconnected")
    func deviceDisconnect() throws {
        let command = try parse(DeviceDisconnect.self, "device", "disconnect", "phone-1")
        #expect(text(command.call) == "POST /psp/admin/devices/phone-1/disconnect")
    }

    @Test("a device keeps what is not named")
    func deviceAdd() throws {
        let added = try parse(
            DeviceAdd.self, "device", "add", "phone-1", "--platform", "ios", "--org", "police", "--user", "officer-7", "--test")
        #expect(
            text(added.call)
                == #"PUT /psp/admin/devices/phone-1 {"platform":"ios","org_id":"police","user_id":"officer-7","test":true}"#)
        let freed = try parse(DeviceAdd.self, "device", "add", "phone-1", "--no-user", "--no-test")
        #expect(text(freed.call) == #"PUT /psp/admin/devices/phone-1 {"user_id":null,"test":false}"#)
    }

    @Test("an identifier cannot leave its place in the address")
    func encoding() throws {
        let shown = try parse(ShowCommand<DeviceResource>.self, "device", "show", "a/../b?c=中")
        #expect(text(shown.call) == "GET /psp/admin/devices/a%2F..%2Fb%3Fc%3D%E4%B8%AD")
    }

    private let app = Pusher.app(key: "demo", masterSecret: "s")

    @Test("without the app's secret a push is an operator's, and a dry run always")
    func pushers() throws {
        let push = try parse(PushConfiguration.self, "push", "config", "a=1", "--org", "police", "--app", "demo")
        let secret = ["PSP_SECRET": "s"]
        #expect(try push.caller.pusher(isDryRun: false, environment: secret) == .app(key: "demo", masterSecret: "s"))
        #expect(try push.caller.pusher(isDryRun: false, environment: [:]) == .operator(app: "demo"))
        #expect(try push.caller.pusher(isDryRun: true, environment: secret) == .operator(app: "demo"))
        let body = #"{"type":"groupcast","org_id":"police","payload":{"body":"a=1"}}"#
        #expect(
            text(try push.order.call(by: .operator(app: "demo")))
                == "POST /psp/admin/push?appkey=demo&interface=config \(body)")
        #expect(
            text(try push.order.call(by: .operator(app: "demo"), isDryRun: true))
                == "POST /psp/admin/push?appkey=demo&interface=config&dry_run=1 \(body)")
        let signed = try parse(
            PushConfiguration.self, "push", "config", "a=1", "--org", "police", "--app", "demo", "--secret", "s")
        #expect(throws: (any Error).self) { try signed.caller.pusher(isDryRun: true, environment: [:]) }
        #expect(throws: (any Error).self) {
            try parse(StatsCommand.self, "stats", "--tag", "t", "--app", "demo").caller.credentials(environment: [:])
        }
    }

    @Test("a title makes a notification, content alone a message")
    func unicast() throws {
        let notification = try parse(PushUnicast.self, "push", "unicast", "phone-1", "--title", "Hi", "--custom", #"a"b"#)
        #expect(
            text(try notification.order.call(by: app))
                == #"POST /psp/push/msg {"type":"unicast","device_tokens":"phone-1","payload":{"display_type":"notification","#
                + #""body":{"title":"Hi","custom":"a\"b"}}}"#)
        let message = try parse(PushUser.self, "push", "user", "officer-7", "--custom-json", #"{ "n": 1.10 }"#, "--test")
        #expect(
            text(try message.order.call(by: app))
                == #"POST /psp/push/msg {"type":"unicast","user_id":"officer-7","payload":{"display_type":"message","#
                + #""body":{"custom":{"n":1.10}},"production_mode":false}}"#)
    }

    @Test("a groupcast carries tag, expiry and the caller's own id")
    func groupcast() throws {
        let push = try parse(
            PushOrganisation.self, "push", "org", "police", "--title", "Hi", "--tag", "t", "--expires",
            "2026-11-24T18:00:00+08:00",
            "--out-biz-no", "7")
        #expect(
            text(try push.order.call(by: app))
                == #"POST /psp/push/msg {"type":"groupcast","org_id":"police","payload":{"display_type":"notification","#
                + #""body":{"title":"Hi"},"tag":"t"},"policy":{"expire_time":1795514400000,"out_biz_no":"7"}}"#)
    }

    @Test("a configuration has one target")
    func configuration() throws {
        let push = try parse(PushConfiguration.self, "push", "config", "cache=2&submit=10", "--org", "police")
        #expect(
            text(try push.order.call(by: app))
                == #"POST /psp/push/config {"type":"groupcast","org_id":"police","payload":{"body":"cache=2&submit=10"}}"#)
    }

    @Test("a query holds what was given, encoded")
    func stats() throws {
        let stats = try parse(StatsCommand.self, "stats", "--tag", "a&b", "--from", "1795514400")
        #expect(text(stats.call) == "GET /psp/push/stats?tag=a%26b&from=1795514400000")
    }

    @Test(
        "wrong usage is told before anything is sent",
        arguments: [
            ["push", "unicast", "phone-1"], ["push", "unicast", "phone-1", "--custom", "a", "--custom-json", "1"],
            ["push", "unicast", "phone-1", "--custom-json", "{"], ["push", "config", "a=1"],
            ["push", "config", "a=1", "--org", "a", "--user", "b"], ["app", "add", "demo", "--interface", "mail"],
            ["app", "add", "demo", "--scope", "a", "--no-scope"], ["device", "add", "d", "--platform", "symbian"],
            ["stats", "--tag", "t", "--from", "yesterday"], ["task", "1", "--state", "lost"], ["app", "list", "--limit", "0"],
            ["app", "list", "--limit", "-1"], ["task", "1", "--limit", "-1"], ["device", "list", "--own"],
            ["push", "unicast", "d", "--title", "t", "--wait", "--timeout", "0"],
            ["app", "list", "--admin", "ftp://host:1"],
        ])
    func wrongUsage(arguments: [String]) {
        #expect(throws: (any Error).self) { try Pspctl.parseAsRoot(arguments) }
    }
}
