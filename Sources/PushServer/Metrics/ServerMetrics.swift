internal import Base
internal import Libevent
internal import Push
internal import PushAPI
internal import Web

/// Everything that is measured, as Prometheus reads it. `docs/operations.md` names each metric; a test compares.
///
/// Labels have few values: loops, kinds, codes. Never a device, an app or an address, of which there are as many as come.
struct ServerMetrics {
    private var text = PrometheusText()

    /// - Parameters:
    ///   - status: of all loops and the store.
    ///   - operators: of the operators' listener, which asks.
    ///   - certificateExpiry: seconds of Unix time; `nil` without TLS.
    ///   - unadmitted: connections that were refused as they came.
    static func text(
        of status: ServerStatus, _ operators: OperatorFigures, certificateExpiry: Int64?,
        unadmitted: [(kind: String, ConnectionAdmission.Refusals)] = [],
        process: ProcessFigures = ProcessFigures()
    ) -> [UInt8] {
        var metrics = ServerMetrics()
        metrics.write(status, isReady: operators.isReady)
        metrics.writeConnections(of: status, operators)
        metrics.write(unadmitted)
        metrics.write(status.sum.devices)
        metrics.writePushes(of: status.sum)
        metrics.writeRequests(status.sum.requests, operators.requests)
        metrics.writeStore(of: status)
        if let expiry = certificateExpiry {
            metrics.gauge(
                "psp_tls_certificate_expiry_timestamp_seconds", "When the certificate that listeners show expires, in Unix time.",
                Double(expiry))
        }
        metrics.write(process)
        metrics.write(MetricsRegistry.process)
        return metrics.text.bytes
    }

    // MARK: The server

    private mutating func write(_ status: ServerStatus, isReady: Bool) {
        text.family("psp_build_info", .gauge, "1; the labels tell the version and the node's name.") {
            $0.sample(1, [("version", Version.current), ("node", status.node.text)])
        }
        gauge("psp_ready", "Whether /readyz says that pushes are taken: 1 or 0.", isReady ? 1 : 0)
        text.family("psp_loop_late", .gauge, "1: the loop has not answered within a second, its figures are older.") { family in
            for (index, loop) in status.loops.enumerated() { family.sample(loop.isLate ? 1 : 0, [("loop", "\(index)")]) }
        }
    }

    private mutating func writeConnections(of status: ServerStatus, _ operators: OperatorFigures) {
        text.family("psp_connections", .gauge, "Open connections, by loop and by who is at the other end.") { family in
            for (index, loop) in status.loops.enumerated() {
                family.sample(loop.devices.connections, [("loop", "\(index)"), ("kind", "device")])
                family.sample(loop.callers, [("loop", "\(index)"), ("kind", "caller")])
            }
            // Their listener is on the first loop.
            family.sample(operators.connections, [("loop", "0"), ("kind", "operator")])
        }
        text.family("psp_sessions", .gauge, "Devices that are connected and accepted, by loop.") { family in
            for (index, loop) in status.loops.enumerated() { family.sample(loop.devices.sessions, [("loop", "\(index)")]) }
        }
    }

    private mutating func write(_ unadmitted: [(kind: String, refusals: ConnectionAdmission.Refusals)]) {
        text.family(
            "psp_connections_refused_total", .counter, "Connections closed as they came, by who came and by the bound."
        ) { family in
            for (kind, refusals) in unadmitted {
                family.sample(refusals.perAddress, [("kind", kind), ("bound", "per_address")])
                family.sample(refusals.perSecond, [("kind", kind), ("bound", "per_second")])
                family.sample(refusals.perSecondOfAddress, [("kind", kind), ("bound", "per_second_of_address")])
            }
        }
    }

    // MARK: Devices

    private mutating func write(_ devices: DeviceCounters) {
        text.family("psp_connects_total", .counter, "CONNECT packets by what became of them: accepted, or why refused.") {
            family in
            family.sample(devices.accepted, [("result", "accepted")])
            for reason in ConnectRefusalReason.allCases { family.sample(devices.refused[reason], [("result", reason.rawValue)]) }
        }
        counter(
            "psp_protocol_errors_total", "Connections closed for what the device did: malformed packets, silence.",
            devices.protocolErrors)
        counter(
            "psp_connect_timeouts_total", "Connections closed because no CONNECT came in time.", devices.connectTimeouts)
        counter("psp_deliveries_total", "PUBLISH packets handed to connections; a redelivery counts again.", devices.published)
        counter("psp_acknowledgements_total", "PUBACK packets that acknowledged a message.", devices.acknowledged)
        counter("psp_rejections_total", "PUBACK packets by which a device rejected a message.", devices.rejected)
        counter(
            "psp_deliveries_abandoned_total",
            "PUBLISH packets whose connection ended before their PUBACK: they are delivered again.", devices.abandoned)
        counter(
            "psp_acknowledgements_untaken_total",
            "PUBACK packets not taken, since the store had as many to write as it can remember.", devices.untaken)
        counter(
            "psp_acknowledgement_timeouts_total", "Connections closed because a message stayed unacknowledged for too long.",
            devices.overdue)
        counter("psp_deliveries_oversize_total", "Messages left out as larger than the device takes.", devices.skipped)
        counter(
            "psp_devices_slowed_total", "Connections of devices that were slowed, since they connect again and again.",
            devices.slowed)
        counter(
            "psp_receipt_postponements_total", "Times that a device has sent more receipts in a minute than it may.",
            devices.postponements)
        counter("psp_receipts_total", "Receipts of devices: opened, applied, failed.", devices.receipts)
        counter("psp_catch_up_pages_total", "Pages of the log read for devices that catch up.", devices.pages)
        gauge("psp_deliveries_unacknowledged", "PUBLISH packets without PUBACK now.", Double(devices.unacknowledged))
        gauge("psp_windows_full", "Devices that have as many messages unacknowledged as they may.", Double(devices.windowsFull))
        gauge("psp_sessions_awaiting_page", "Devices that wait for a page of the log.", Double(devices.awaitingPages))
    }

    // MARK: Callers

    private mutating func writePushes(of sum: LoopStatus) {
        text.family(
            "psp_pushes_total", .counter,
            "Pushes that came to the store, by interface and by its answer; psp_push_errors_total has those refused before, too."
        ) { family in
            for interface in Interface.allCases {
                let pushes = sum.pushes[interface]
                let answers = [
                    ("stored", pushes.stored), ("repeated", pushes.repeated), ("refused", pushes.refused),
                    ("unavailable", pushes.unavailable), ("unknown", pushes.unknown),
                ]
                for (name, count) in answers {
                    family.sample(count, [("interface", interface.rawValue), ("result", name)])
                }
            }
        }
        text.family(
            "psp_push_errors_total", .counter,
            "Pushes answered with an error, by interface and by the error code of the interface."
        ) { family in
            for interface in Interface.allCases {
                for code in ErrorCode.allCases {
                    let refusal = RequestFigures.Refusal(kind: CallKind(interface).rawValue, code: code.rawValue)
                    // Of a counter that appears with its first event no increase would be seen.
                    let count = sum.requests.refusals[refusal] ?? 0
                    family.sample(count, [("interface", interface.rawValue), ("code", "\(code.rawValue)")])
                }
            }
        }
    }

    private mutating func writeRequests(_ callers: RequestFigures, _ operators: RequestFigures) {
        text.family("psp_http_responses_total", .counter, "Answers to HTTP requests, by listener and status.") { family in
            for (listener, figures) in [("callers", callers), ("operators", operators)] {
                for (status, count) in figures.statuses.sorted(by: { $0.key < $1.key }) {
                    family.sample(count, [("listener", listener), ("code", "\(status)")])
                }
            }
        }
        text.family(
            "psp_http_timeouts_total", .counter,
            "HTTP connections closed because their peer was too slow, by listener and by what was too slow."
        ) { family in
            for (listener, figures) in [("callers", callers), ("operators", operators)] {
                family.sample(figures.timeouts.requests, [("listener", listener), ("of", "request")])
                family.sample(figures.timeouts.answers, [("listener", listener), ("of", "answer")])
            }
        }
        text.family(
            "psp_http_full_total", .counter, "Connections that came when their listener was full, by what was done for them."
        ) { family in
            for (listener, figures) in [("callers", callers), ("operators", operators)] {
                for (name, outcome) in Self.outcomes {
                    family.sample(figures.pressure[outcome] ?? 0, [("listener", listener), ("result", name)])
                }
            }
        }
        text.family(
            "psp_http_request_duration_seconds", .histogram,
            "From when a request was there until it was answered, by the clock of its loop. interface: msg and config are pushes."
        ) { family in
            for kind in CallKind.allCases {
                family.histogram(
                    callers.durations[kind.rawValue], per: 1e9, [("listener", "callers"), ("interface", kind.name)])
            }
            for durations in operators.durations {
                family.histogram(durations, per: 1e9, [("listener", "operators"), ("interface", "other")])
            }
        }
    }

    private static let outcomes: [(String, ConnectionPressure)] = [
        ("closed_another", .closedSilent), ("answered_503", .surplus), ("closed", .dropped),
    ]

    // MARK: What others count

    private mutating func write(_ registry: MetricsRegistry) {
        for (name, kind, all) in registry.families {
            text.family(name, kind, RareCounters.help(name)) { family in
                for series in all {
                    let now = series.now
                    if kind == .summary {
                        family.summary(count: now.count, sum: now.value, series.labels)
                    } else {
                        family.sample(now.value, series.labels)
                    }
                }
            }
        }
    }

    mutating func counter(_ name: String, _ help: String, _ value: UInt64) {
        text.family(name, .counter, help) { $0.sample(value) }
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Double) { text.family(name, .gauge, help) { $0.sample(value) } }

    mutating func family(
        _ name: String, _ kind: PrometheusText.Kind, _ help: String, _ samples: (inout PrometheusText.Samples) -> Void
    ) {
        text.family(name, kind, help, samples)
    }
}
