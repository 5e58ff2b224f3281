internal import Base
internal import JSON
internal import Push
internal import Web

extension JSONWriter {
    /// Writes the server's status, as members of an object.
    /// - Parameter operators: operators' connections.
    mutating func members(of status: ServerStatus, operators: Int, in language: Language) {
        let sum = status.sum
        member("version", Version.current)
        member("node", status.node.text)
        member("started_at", status.startedAt)
        member("uptime", status.uptime)
        key("connections")
        object { json in
            json.member("devices", sum.devices.connections)
            json.member("online", sum.devices.sessions)
            json.member("callers", sum.callers)
            json.member("operators", operators)
        }
        key("loops")
        array { json in
            for loop in status.loops {
                json.object { json in
                    json.member("devices", loop.devices.connections)
                    json.member("online", loop.devices.sessions)
                    json.member("callers", loop.callers)
                    if loop.isLate { json.member("late", true) }
                }
            }
        }
        members(ofTraffic: sum, status.rates, uncounted: status.store.uncounted)
        members(ofFlapping: status.flapping)
        members(ofBacklog: sum, status.store)
        members(ofStore: status, in: language)
        guard let imports = status.imports else { return }
        let running = imports.filter { $0.state == .running }
        key("imports")
        object { json in
            json.member("running", running.count)
            // They follow each other: the oldest is the one that goes on.
            guard let current = running.last else { return }
            json.member("import_id", current.id.text)
            json.member("lines", current.lines)
            json.member("done", current.tally.done)
            if let timeLeft = current.timeLeft { json.member("time_left", timeLeft) }
        }
    }

    private mutating func members(ofTraffic sum: LoopStatus, _ rates: TrafficRates, uncounted: Int) {
        let pushes = sum.pushes.sum
        member("pushes", pushes.stored, rates.lastTenSeconds.pushes, rates.lastMinute.pushes) { json in
            json.member("repeated", pushes.repeated)
            json.member("refused", pushes.refused)
            json.member("unavailable", pushes.unavailable)
            json.member("unknown", pushes.unknown)
        }
        member("deliveries", sum.devices.published, rates.lastTenSeconds.deliveries, rates.lastMinute.deliveries) { json in
            json.member("skipped_oversize", sum.devices.skipped)
            json.member("rejected", sum.devices.rejected)
            json.member("overdue", sum.devices.overdue)
        }
        member(
            "acknowledgements", sum.devices.acknowledged, rates.lastTenSeconds.acknowledgements,
            rates.lastMinute.acknowledgements
        ) { json in
            json.member("untaken", sum.devices.untaken)
            json.member("uncounted", uncounted)
        }
        key("connects")
        object { json in
            json.member("accepted", sum.devices.accepted)
            json.member("refused", sum.devices.refused.total)
            json.member("protocol_errors", sum.devices.protocolErrors)
        }
    }

    private mutating func members(ofFlapping devices: [(device: DeviceToken, connects: Int)]) {
        guard !devices.isEmpty else { return }
        key("flapping")
        array { json in
            for (device, connects) in devices {
                json.object { json in
                    json.member("device_token", device.text)
                    json.member("connects", connects)
                }
            }
        }
    }

    private mutating func member(
        _ name: String, _ total: UInt64, _ lastTenSeconds: Double, _ lastMinute: Double,
        others: (inout JSONWriter) -> Void = { _ in }
    ) {
        key(name)
        object { json in
            json.member("total", total)
            json.member("per_second_10s", tenths: lastTenSeconds)
            json.member("per_second_60s", tenths: lastMinute)
            others(&json)
        }
    }

    /// A number with one digit behind the point.
    private mutating func member(_ name: String, tenths number: Double) {
        let tenths = Int64((number * 10).rounded())
        member(name, raw: "\(tenths / 10).\(tenths % 10)".utf8)
    }

    private mutating func members(ofBacklog sum: LoopStatus, _ store: StoreStatus) {
        key("backlog")
        object { json in
            json.member("unacknowledged", sum.devices.unacknowledged)
            json.member("windows_full", sum.devices.windowsFull)
            json.member("awaiting_pages", sum.devices.awaitingPages)
            json.member("awaiting_store", store.waiting)
            json.member("longest_wait", store.longestWait / 1_000_000)
        }
    }

    private mutating func members(ofStore status: ServerStatus, in language: Language) {
        key("store")
        object { json in
            json.member("health", status.store.health.name)
            json.member("detail", ifPresent: status.store.health.detail?.text(in: language))
            json.key("longest_hold")
            json.object { json in
                for piece in HoldTimes.Piece.allCases {
                    json.member("\(piece)", status.holdTimes[piece].longest / 1_000_000)
                }
            }
        }
        if let standing = status.standing {
            key("shared")
            value(standing)
        }
        if let storage = status.storage {
            key("disk")
            object { json in
                json.member("database", storage.database)
                json.member("log", storage.log)
                json.member("free", storage.free)
            }
        }
        guard let clock = status.clock else { return }
        key("clock")
        value(clock)
    }
}
