internal import Push
internal import PushAPI

// The store and the process. What could not be learnt is absent.
extension ServerMetrics {
    mutating func writeStore(of status: ServerStatus) {
        writeWriter(status.store, status.holdTimes)
        if let standing = status.standing { write(standing) }
        if let storage = status.storage {
            gauge("psp_store_database_bytes", "Size of the file of the database.", Double(storage.database))
            gauge("psp_store_log_bytes", "Size of the write-ahead log.", Double(storage.log))
            gauge(
                "psp_store_log_age_seconds", "How long the write-ahead log has grown since it began anew.",
                Double(storage.logAge) / 1e9)
            gauge("psp_store_disk_free_bytes", "What is left on the disk of the data directory.", Double(storage.free))
        }
        if let clock = status.clock {
            counter(
                "psp_clock_steps_total", "How often the wall clock was found to have jumped.", UInt64(clamping: clock.steps))
            gauge(
                "psp_clock_offset_seconds", "How far the wall clock is ahead of store time; negative: behind.",
                Double(clock.wallClock - clock.storeTime) / 1_000)
            gauge(
                "psp_clock_synchronised", "Whether the system says that its clock is kept right: 1 or 0.",
                clock.isSynchronised ? 1 : 0)
        }
        if let imports = status.imports {
            gauge(
                "psp_imports_running", "Imports that are not done; at most 20 are looked at.",
                Double(imports.count { $0.state == .running }))
        }
    }

    /// Of a store that nodes share.
    private mutating func write(_ standing: NodeStanding) {
        gauge(
            "psp_lease_seconds", "How long this node's lease holds still; 0: it has lapsed, and the node delivers nothing.",
            Double(standing.lease) / 1_000)
        gauge(
            "psp_log_lag_positions", "Positions of the shared log that this node had not applied when it renewed its lease last.",
            Double(standing.lag))
        counter(
            "psp_lease_lapses_total", "How often this node's lease has lapsed, since it could not be renewed in time.",
            UInt64(clamping: standing.lapses))
        counter(
            "psp_store_unknown_calls_total",
            "Calls to the database of which nobody knows whether they were carried out.", UInt64(clamping: standing.unknownCalls))
        counter(
            "psp_store_losses_total", "How often the session with the database was lost.", UInt64(clamping: standing.losses))
        counter(
            "psp_store_primary_switches_total", "How often another server was found to be the primary.",
            UInt64(clamping: standing.switches))
        guard let hasNoStandby = standing.hasNoStandby else { return }
        gauge(
            "psp_store_without_standby",
            "1: commits wait for no standby, so that what is answered as stored is on the primary alone.", hasNoStandby ? 1 : 0)
    }

    private mutating func writeWriter(_ store: StoreStatus, _ holds: HoldTimes) {
        family("psp_store_health", .gauge, "1 for the state of the store, 0 for the others.") { family in
            for state in Health.allNames { family.sample(state == store.health.name ? 1 : 0, [("state", state)]) }
        }
        gauge("psp_store_waiting_calls", "Calls that the store has not begun with.", Double(store.waiting))
        gauge(
            "psp_store_longest_wait_seconds", "How long the oldest call has waited that is not decided.",
            Double(store.longestWait) / 1e9)
        family(
            "psp_store_commit_duration_seconds", .histogram, "The end of a transaction, with its sync."
        ) { $0.histogram(holds.times(of: .commit), per: 1e9) }
        family(
            "psp_store_append_wait_seconds", .histogram,
            "Of each commit, how long the call had waited that waited longest, from when it was handed in until it was kept."
        ) { $0.histogram(holds.waits, per: 1e9) }
        counter(
            "psp_audit_entries_total", "Entries of the audit log that were written.", UInt64(clamping: store.audit.entries))
        counter(
            "psp_audit_entries_lost_total",
            "Entries that are missing in the audit log: the store could not write, or they were beyond bounds.",
            UInt64(clamping: store.audit.lost))
        counter(
            "psp_refusals_total", "Refusals of callers and operators that the store has counted.",
            UInt64(clamping: store.audit.refusals))
        family("psp_store_batch_calls", .histogram, "How many calls each commit has answered.") {
            $0.histogram(holds.batches, per: 1)
        }
        family(
            "psp_store_longest_hold_seconds", .gauge,
            "The longest single piece of work of the writer since the start, by its kind."
        ) { family in
            for piece in HoldTimes.Piece.allCases {
                family.sample(Double(holds[piece].longest) / 1e9, [("piece", "\(piece)")])
            }
        }
    }

    // MARK: The process

    /// By the names that all client libraries of Prometheus give these.
    mutating func write(_ process: ProcessFigures) {
        if let time = process.processorTime {
            family("process_cpu_seconds_total", .counter, "Total user and system CPU time spent in seconds.") { $0.sample(time) }
        }
        if let size = process.residentMemory {
            gauge("process_resident_memory_bytes", "Resident memory size in bytes.", Double(size))
        }
        if let size = process.virtualMemory {
            gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", Double(size))
        }
        if let count = process.openFiles { gauge("process_open_fds", "Number of open file descriptors.", Double(count)) }
        if let count = process.mostFiles { gauge("process_max_fds", "Maximum number of open file descriptors.", Double(count)) }
        if let time = process.startTime {
            gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", time)
        }
    }
}
