import Push

/// Sends a push and tells its task.
enum PushRun {
    static func call(_ interface: Interface, body: [UInt8]) -> Call {
        Call(.post, ["psp", "push", interface.rawValue], body: body)
    }

    static func send(_ call: Call, as caller: CallerOptions, to server: ServerOptions) async throws {
        let data = try await caller.client(server).send(call).data
        if server.json { return Output.json(data.minified()) }
        print("task \(data["task_id"]?.string ?? "?")")
    }
}
