public import Glibc

/// Time that only moves forward and has no meaning outside this machine: for deadlines, intervals and rates. It stands still
/// while the machine is suspended.
public enum MonotonicClock {
    /// Nanoseconds since an unknown moment.
    @inlinable
    public static var nanoseconds: Int64 { read(CLOCK_MONOTONIC, unit: 1) }

    /// Microseconds since an unknown moment.
    @inlinable
    public static var microseconds: Int64 { read(CLOCK_MONOTONIC, unit: 1_000) }
}

/// Time that only moves forward, also while the machine is suspended, and begins anew with each boot: for what has to go on
/// over a restart of the process. See ``BootIdentity``.
public enum BootClock {
    /// Microseconds since the boot.
    @inlinable
    public static var microseconds: Int64 { read(CLOCK_BOOTTIME, unit: 1_000) }
}

/// The time of day as the system has it. It may be wrong, and it may jump in both directions.
public enum WallClock {
    /// Unix time in milliseconds.
    @inlinable
    public static var milliseconds: Int64 { read(CLOCK_REALTIME, unit: 1_000_000) }

    /// Unix time in microseconds.
    @inlinable
    public static var microseconds: Int64 { read(CLOCK_REALTIME, unit: 1_000) }
}

/// - Parameter unit: of the result, in nanoseconds.
@inlinable
func read(_ clock: clockid_t, unit: Int64) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * (1_000_000_000 / unit) + Int64(time.tv_nsec) / unit
}
