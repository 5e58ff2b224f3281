import ArgumentParser
import JSON
import Push

/// Sends a push and tells its task; and waits for its end, if that is wanted. Or asks what it would do.
struct PushRun {
    private let pusher: Pusher
    private let client: ServerClient
    private let isJSON: Bool
    private let isDryRun: Bool
    private let waiting: WaitOptions

    init(_ caller: CallerOptions, _ push: PushOptions, _ waiting: WaitOptions, to server: ServerOptions) throws {
        guard !push.dryRun || !waiting.wait else {
            throw ValidationError(say("With --dry-run there is nothing to wait for.", "--dry-run 没有可等待的内容。"))
        }
        pusher = try caller.pusher(isDryRun: push.dryRun)
        client = try pusher.client(server)
        isJSON = server.json
        isDryRun = push.dryRun
        self.waiting = waiting
    }

    func send(_ order: PushOrder) async throws {
        let data = try await client.send(order.call(by: pusher, isDryRun: isDryRun)).data
        if isDryRun {
            guard !isJSON else { return Output.json(data.minified()) }
            print(say("nothing was pushed; it would be:", "没有推送；推送的结果会是："))
            for line in Details.lines(of: data) { print(line) }
            return
        }
        let task = data["task_id"]?.string ?? "?"
        guard waiting.wait else { return isJSON ? Output.json(data.minified()) : print(say("task \(task)", "任务 \(task)")) }
        if !isJSON { print(say("task \(task)", "任务 \(task)")) }
        let ended: JSONValue
        do {
            ended = try await end(of: task)
        } catch {
            // It is accepted all the same, and a script must not push it again.
            if isJSON { Output.json(data.minified()) }
            throw error
        }
        if isJSON { return Output.json(ended.minified()) }
        let status = Column.show(ended["status"], named: "status")
        print(say("\(status): \(Self.summary(of: ended))", "\(status)：\(Self.summary(of: ended))"))
    }

    // MARK: Waiting

    /// A device that is connected has it within milliseconds; who waits longer is asked for less often.
    private static let longestPause = Duration.seconds(2)

    /// The task when nothing of it is pending any more.
    /// - Throws: `Failure.timeout`.
    private func end(of task: String) async throws -> JSONValue {
        let progress = Progress(isSilent: isJSON)
        defer { progress.clear() }
        let deadline = ContinuousClock.now + .seconds(waiting.timeout)
        var pause = Duration.milliseconds(100)
        while true {
            let now = try await client.send(Call(.get, pusher.path(ofTask: task))).data
            if now["counts"]?["pending"]?.int64 ?? 0 == 0 { return now }
            progress.show(Self.fraction(of: now), Self.summary(of: now))
            guard ContinuousClock.now < deadline else { throw Failure.timeout(task: task, progress: Self.summary(of: now)) }
            try await Task.sleep(for: min(pause, deadline - ContinuousClock.now))
            pause = min(pause * 2, Self.longestPause)
        }
    }

    private static func fraction(of task: JSONValue) -> Double? {
        guard let targeted = task["counts"]?["targeted"]?.int64, targeted > 0 else { return nil }
        return 1 - Double(task["counts"]?["pending"]?.int64 ?? 0) / Double(targeted)
    }

    /// How many devices there are, and in which states, but for states that none is in.
    static func summary(of task: JSONValue) -> String {
        let counts = RecipientState.allCases.compactMap { state -> String? in
            guard let count = task["counts"]?[state.rawValue]?.int64, count > 0 else { return nil }
            return "\(ValueWords.short(state.rawValue, named: "state")) \(count)"
        }
        let targeted = say("targeted", "目标数") + " \(task["counts"]?["targeted"]?.int64 ?? 0)"
        return ([targeted] + counts).joined(separator: say(", ", "，"))
    }
}
