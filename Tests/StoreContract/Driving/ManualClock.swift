public import Base

/// The clocks of a machine on which time passes only as a test says. Milliseconds.
public final class ManualClock: Sendable {
    private struct Machine: Sendable {
        var wall: Int64
        var sinceBoot: Int64 = 5_000
        var boot = 1
        var tellsBoot = true
        var isSynchronised = true
    }

    private let machine: Locked<Machine>

    /// A machine whose wall clock stands at `time`.
    public init(_ time: Int64 = 1_800_000_000_000) { machine = Locked(Machine(wall: time)) }

    /// What the wall clock says.
    public var now: Int64 { machine.withLock { $0.wall } }

    /// Time passes.
    public func advance(by milliseconds: Int64) {
        machine.withLock { machine in
            machine.wall += milliseconds
            machine.sinceBoot += milliseconds
        }
    }

    /// Somebody sets the wall clock.
    public func step(by milliseconds: Int64) { machine.withLock { $0.wall += milliseconds } }

    /// The machine ends, and boots so long afterwards.
    public func reboot(after downtime: Int64) {
        machine.withLock { machine in
            machine.boot += 1
            machine.sinceBoot = 1_000
            machine.wall += downtime
        }
    }

    /// Whether the system says that its clock is kept right.
    public func setSynchronised(_ isSynchronised: Bool) { machine.withLock { $0.isSynchronised = isSynchronised } }

    /// The system tells nobody which boot this is.
    public func hideBoot() { machine.withLock { $0.tellsBoot = false } }

    /// As a store reads them.
    public var clocks: SystemClocks {
        var clocks = SystemClocks()
        clocks.wall = { [self] in machine.withLock { $0.wall * 1_000 } }
        clocks.boot = { [self] in machine.withLock { $0.sinceBoot * 1_000 } }
        clocks.bootIdentity = { [self] in machine.withLock { $0.tellsBoot ? "boot \($0.boot)" : nil } }
        clocks.isSynchronised = { [self] in machine.withLock { $0.isSynchronised } }
        return clocks
    }
}
