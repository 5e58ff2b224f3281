/// What a crowd has seen.
struct CrowdReport: Codable, Sendable {
    var devices: Int
    var groupcasts: Int
    var tasks: [String] = []
    /// What the server says of the groupcasts, added up.
    var targeted = 0
    var delivered = 0
    /// What the server says of the pushes to single devices.
    var pushesTargeted = 0
    var pushesDelivered = 0
    /// What the devices saw.
    var tally = Tally()
    var latency: Latencies.Summary?
    var load: LoadReport?
    /// The server's, before the devices connected, then, and at the end.
    var usageBefore: ProcessUsage?
    var usageConnected: ProcessUsage?
    var usageAfter: ProcessUsage?

    /// How many messages there must be.
    var expected: Int { devices * groupcasts + (load?.accepted ?? 0) }

    /// Whether everybody got everything exactly once, and everybody knows it.
    var complete: Bool {
        let pushed =
            load.map { $0.refused + $0.unanswered == 0 && pushesTargeted == $0.accepted && pushesDelivered == $0.accepted }
            ?? true
        return tally.ready == devices && tally.lost == 0 && tally.received == expected && tally.repeated == 0
            && tally.missing == 0
            && targeted == devices * groupcasts && delivered == targeted && pushed
    }

    func show() {
        var rows = [
            ("devices", "\(Output.grouped(tally.ready)) of \(Output.grouped(devices)) connected \(tally.lastLoss ?? "")"),
            ("groupcasts", "\(groupcasts), delivered \(Output.grouped(delivered)) of \(Output.grouped(targeted))"),
        ]
        if let load {
            rows.append(
                (
                    "pushes",
                    "\(Output.grouped(load.accepted)), delivered \(Output.grouped(pushesDelivered)) \(load.lastTrouble ?? "")"
                ))
            rows += Output.rows("answered after", load.latency)
        }
        rows += [
            (
                "received",
                "\(Output.grouped(tally.received)) of \(Output.grouped(expected)), "
                    + "repeated \(tally.repeated), missing \(tally.missing)"
            )
        ]
        rows += Output.rows("from call to device", latency)
        rows += Output.rows("server, connecting", from: usageBefore, to: usageConnected, per: devices)
        rows += Output.rows("server, delivering", from: usageConnected, to: usageAfter, per: tally.received)
        Output.table(rows + [("result", complete ? "complete" : "NOT complete")])
    }
}
