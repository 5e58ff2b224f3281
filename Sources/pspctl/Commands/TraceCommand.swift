import ArgumentParser
import Foundation
import JSON
import Push

/// `pspctl trace`
struct TraceCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "trace",
            abstract: say(
                "Follow live what happens to one device, user, app or address.", "实时跟踪一台设备、一位使用人、一个应用或一个地址。"),
            discussion: say(
                """
                The server tells each step, also in its log, without passwords and payloads. The trace ends with the command, or \
                after --minutes.
                """,
                """
                服务器告知每一步，日志中也有，不含密码和推送内容。跟踪随命令结束，或在 --minutes 之后结束。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl trace --device phone-1", "pspctl trace --user officer-7 --minutes 30",
                    "pspctl trace --app demo --json",
                    "pspctl trace --address 10.0.0.8"))
    }

    @Option(help: ArgumentHelp(say("The device.", "设备。"), valueName: "token"))
    var device: String?

    @Option(help: ArgumentHelp(say("The user: its devices, and pushes to it.", "使用人：其设备，以及发给它的推送。"), valueName: "id"))
    var user: String?

    @Option(help: ArgumentHelp(say("The app: all its requests.", "应用：它的所有请求。"), valueName: "appkey"))
    var app: String?

    @Option(help: ArgumentHelp(say("All that comes from there.", "来自该地址的一切。"), valueName: "ip"))
    var address: String?

    @Option(help: ArgumentHelp(say("How long, 1 to 60.", "多久，1 到 60。"), valueName: "n"), transform: WholeNumber.within(1...60))
    var minutes = 10

    @Flag(
        name: .customLong("future"),
        help: ArgumentHelp(say("It need not exist yet.", "可以尚不存在。")))
    var isFuture = false

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    func validate() throws {
        guard [device, user, app, address].count(where: { $0 != nil }) == 1 else {
            throw ValidationError(
                say("Name one of --device, --user, --app and --address.", "请指定 --device、--user、--app、--address 之一。"))
        }
    }

    static let path = ["psp", "admin", "trace"]

    var call: Call {
        var json = JSONWriter()
        json.object { json in
            json.member("device_token", ifPresent: device)
            json.member("user_id", ifPresent: user)
            json.member("appkey", ifPresent: app)
            json.member("address", ifPresent: address)
            json.member("minutes", minutes)
        }
        return Call(
            .post, TraceCommand.path, body: json.bytes,
            flags: ["device_token": "--device", "address": "--address", "minutes": "--minutes"])
    }

    func run() async throws {
        let client = try server.adminClient()
        if !isFuture {
            do {
                await tellElsewhere(try await traced(client), client)
            } catch Failure.refused(_, ErrorCode.unavailable.rawValue, let reason, _) {
                throw Failure.untraceable(reason)
            }
        }
        // Before there is something to interrupt.
        let interruption = Interruption()
        let sources = await interruption.listen()
        let data = try await client.send(call).data
        guard let id = data["trace_id"]?.string else { return }
        if !server.json {
            print(
                say(
                    "tracing until \(Column.localTime(data["until"]?.int64 ?? 0))",
                    "跟踪至 \(Column.localTime(data["until"]?.int64 ?? 0))"))
        }
        fflush(nil)
        let isForProgram = server.json
        let stream = Call(.get, TraceCommand.path + [id, "events"])
        do throws(Failure) {
            try await client.follow(stream, until: interruption.end) { event in
                print(isForProgram ? event : TraceCommand.line(event))
                // Nobody reads any more.
                if fflush(nil) != 0 { interruption.begin() }
            }
        } catch {
            guard interruption.hasBegun else { throw error }
        }
        // Where the server does not hear of it, the trace ends at its time.
        if interruption.hasBegun { _ = try? await client.send(Call(.delete, TraceCommand.path + [id])) }
        withExtendedLifetime(sources) {}
    }

    /// The devices that are traced, where that is known.
    /// - Throws: `untraceable` for a name that is mistyped, of which nothing would ever come.
    private func traced(_ client: ServerClient) async throws -> [JSONValue] {
        if let device {
            return [try await find(DeviceResource.path(device), say("no device \(device)", "没有设备 \(device)"), client)]
        }
        if let app { _ = try await find(AppResource.path(app), say("no app \(app)", "没有应用 \(app)"), client) }
        guard let user else { return [] }
        var devices: [JSONValue] = []
        let listing = Listing(client: client, path: DeviceResource.path(), query: [("user_id", user)])
        _ = try await listing.read(wanted: nil) { devices.append($0) }
        guard !devices.isEmpty else { throw Failure.untraceable(say("user \(user) has no device", "使用人 \(user) 没有设备")) }
        return devices
    }

    private func find(_ path: [String], _ reason: String, _ client: ServerClient) async throws -> JSONValue {
        do throws(Failure) {
            return try await client.send(Call(.get, path)).data
        } catch .refused(404, _, _, _) {
            throw Failure.untraceable(Output.printable(reason))
        }
    }

    /// A device of a shared store is traced by the node that it is connected to: whoever asks another one would wait in vain.
    private func tellElsewhere(_ devices: [JSONValue], _ client: ServerClient) async {
        let connected = devices.compactMap { device in device["node"]?.string.map { (device, $0) } }
        // Who may not read the status is not told.
        guard !connected.isEmpty, let own = try? await client.send(StatusCommand.call).data["node"]?.string else { return }
        for (device, node) in connected where node != own {
            let token = Output.printable(device["device_token"]?.string ?? "")
            Output.error(
                say(
                    "\(token) is connected to node \(node), and this is \(own): what it gets is traced there",
                    "\(token) 连接在节点 \(node)，而这里是 \(own)：它收到的内容要在那个节点跟踪"))
        }
    }

    /// An event as people read it.
    static func line(_ event: String) -> String {
        guard let object = try? JSONDocument(parsing: Array(event.utf8)).root else { return Output.printable(event) }
        let time = object["time"]?.int64.map(Column.preciseTime) ?? "-"
        let fields = object.members.filter { $0.key != "time" && $0.key != "event" }.map { key, value in
            "\(Output.printable(key))=\(Column.show(value, named: key))"
        }
        return ([time, Column.show(object["event"], named: "event")] + fields).joined(separator: "  ")
    }
}
