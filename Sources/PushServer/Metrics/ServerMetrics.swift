internal import Gateway
internal import Push

/// What `/metrics` shows: the loops' own counters, summed when they are asked for, so that counting costs no loop anything shared.
struct ServerMetrics: Sendable {
    /// Of one loop, at one moment.
    struct Sample: Sendable {
        var devices = GatewayCounters()
        /// Replies to callers, by the catalogue's code; 0 is success.
        var replies: [Int: UInt64] = [:]

        static func += (sum: inout Sample, other: Sample) {
            sum.devices += other.devices
            sum.replies.merge(other.replies, uniquingKeysWith: +)
        }
    }

    /// Unix seconds.
    let startedAt: Double
    let loops: Int

    /// The page.
    func page(_ sum: Sample, _ health: Health, _ process: ProcessFigures) -> String {
        var page = Exposition()
        addCallers(sum, health, to: &page)
        addDevices(sum.devices, to: &page)
        addProcess(process, to: &page)
        return page.text
    }

    private func addCallers(_ sum: Sample, _ health: Health, to page: inout Exposition) {
        page.add(
            .counter, "psp_push_replies_total", "Replies to callers, by error code; 0 is success.", by: "code",
            sum.replies.sorted { $0.key < $1.key }.map { ("\($0.key)", $0.value) })
        page.add(.gauge, "psp_store_serving", "Whether pushes can be taken.", health == .serving ? 1 : UInt64(0))
    }

    private func addDevices(_ devices: GatewayCounters, to page: inout Exposition) {
        page.add(.gauge, "psp_device_connections", "Open device connections.", devices.connections)
        page.add(.gauge, "psp_device_sessions", "Devices that are connected.", devices.sessions)
        page.add(
            .counter, "psp_device_connects_total", "CONNECT packets, by outcome.", by: "outcome",
            [("accepted", devices.accepted), ("refused", devices.refused)])
        page.add(
            .counter, "psp_device_protocol_errors_total", "Connections closed for what the device did.", devices.protocolErrors)
        page.add(
            .counter, "psp_messages_published_total", "Messages handed to a connection; a redelivery counts again.",
            devices.published)
        page.add(.counter, "psp_messages_acknowledged_total", "Acknowledgements of messages.", devices.acknowledged)
        page.add(
            .counter, "psp_messages_oversize_total", "Messages larger than the device's Maximum Packet Size.", devices.skipped)
        page.add(.counter, "psp_receipts_total", "Receipts of devices that were handed to the store.", devices.receipts)
        page.add(.counter, "psp_log_pages_total", "Pages of the log read for devices that catch up.", devices.pages)
    }

    private func addProcess(_ process: ProcessFigures, to page: inout Exposition) {
        page.add(.gauge, "psp_loops", "Event loops.", UInt64(loops))
        page.add(.counter, "process_cpu_seconds_total", "User and system CPU time, in seconds.", process.cpuSeconds)
        page.add(.gauge, "process_resident_memory_bytes", "Resident memory, in bytes.", process.residentBytes)
        page.add(.gauge, "process_open_fds", "Open file descriptors.", process.openFiles)
        page.add(.gauge, "process_max_fds", "The limit on them.", process.mostOpenFiles)
        page.add(.gauge, "process_start_time_seconds", "When the process started, Unix time in seconds.", startedAt)
    }
}
