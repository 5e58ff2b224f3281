internal import CFaultVFS

/// A disk that runs full, fails or loses power on demand, for every SQLite file below a path. Other files are not touched.
///
/// Make it before the store is opened, and keep it until the store is closed.
///
/// `@unchecked Sendable`: the C object is behind a mutex of its own.
public final class FaultyDisk: @unchecked Sendable {
    /// What fails.
    public enum Operation: Sendable {
        /// Every write.
        case write
        /// Writes that make a file longer: what a full disk refuses.
        case growth
        case sync
        case read
        /// Opening a file, as where no descriptor is left.
        case open
    }

    /// How it fails.
    public enum Fault: Sendable {
        case full
        case inputOutput
    }

    /// What the disk is about to do.
    public enum Moment: Hashable, Sendable, CaseIterable {
        /// Writing to the database's file: a checkpoint.
        case fileWrite
        case fileSync
        /// Writing to the log: a commit.
        case logWrite
        /// Writing the log's first bytes: it begins anew.
        case logRestart
        case logSync
    }

    private let disk: OpaquePointer
    /// Whoever looks on; the C object calls by way of this one, which outlives the disk's files.
    private let observer: @Sendable (Moment, FaultyDisk) -> Void

    /// A disk of every file whose path begins with `prefix`.
    /// - Parameter observer: called before whatever the disk does, on the thread that does it: it may let the power fail.
    public init(prefix: String, observer: (@Sendable (Moment, FaultyDisk) -> Void)? = nil) {
        // `calloc` for a few hundred bytes: there is no test without it.
        guard let disk = fault_disk_create(prefix) else { preconditionFailure("no memory for a test's disk") }
        self.disk = disk
        self.observer = observer ?? { _, _ in }
        guard observer != nil else { return }
        fault_disk_observe(
            disk,
            { context, moment in
                guard let context, let moment = Moment(moment) else { return }
                let disk = Unmanaged<FaultyDisk>.fromOpaque(context).takeUnretainedValue()
                disk.observer(moment, disk)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { fault_disk_free(disk) }

    /// From now on no sync returns.
    public func holdSyncs() { fault_disk_hold_syncs(disk, 1) }

    /// Lets the syncs go on.
    public func releaseSyncs() { fault_disk_hold_syncs(disk, 0) }

    /// Syncs that are held now.
    public var heldSyncs: Int { Int(fault_disk_waiting_syncs(disk)) }

    /// Syncs that have been done.
    public var syncs: Int { Int(fault_disk_syncs(disk)) }

    /// Lets operations fail.
    /// - Parameters:
    ///   - count: how many are still done before.
    ///   - times: how many fail; `nil` means all from then on.
    public func fail(_ operation: Operation, _ fault: Fault, after count: Int = 0, times: Int? = nil) {
        let operation: fault_operation =
            switch operation {
            case .write: FAULT_WRITE
            case .growth: FAULT_GROW
            case .sync: FAULT_SYNC
            case .read: FAULT_READ
            case .open: FAULT_OPEN
            }
        fault_disk_fail(disk, operation, fault == .full ? FAULT_FULL : FAULT_IO, Int64(count), times.map(Int64.init) ?? -1)
    }

    /// Nothing fails any more.
    public func repair() { fault_disk_fail(disk, FAULT_WRITE, FAULT_NONE, 0, 0) }

    /// Whether something has failed since the last ``fail(_:_:after:times:)``.
    public var hasFailed: Bool { fault_disk_has_failed(disk) != 0 }

    /// What a power failure at this moment leaves is written below `directory`: what was synced, and of the rest each write with
    /// a chance of `percent`.
    /// - Returns: 0, or `errno`.
    public func failPower(into directory: String, keeping percent: Int = 0, seed: UInt64 = 0) -> Int32 {
        fault_disk_power_failure(disk, directory, Int32(percent), seed)
    }
}

extension FaultyDisk.Moment {
    fileprivate init?(_ moment: fault_moment) {
        switch moment {
        case FAULT_FILE_WRITE: self = .fileWrite
        case FAULT_FILE_SYNC: self = .fileSync
        case FAULT_LOG_WRITE: self = .logWrite
        case FAULT_LOG_RESTART: self = .logRestart
        case FAULT_LOG_SYNC: self = .logSync
        default: return nil
        }
    }
}
