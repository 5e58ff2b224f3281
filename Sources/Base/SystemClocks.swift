internal import CSystem

/// The system's clocks as somebody reads them who has to know how far each can be trusted. Tests bring their own.
public struct SystemClocks: Sendable {
    /// The time of day, Unix microseconds: it may be wrong, and jump.
    public var wall: @Sendable () -> Int64 = { WallClock.microseconds }
    /// Microseconds since the boot: it does neither.
    public var boot: @Sendable () -> Int64 = { BootClock.microseconds }
    /// Which boot that is; see ``BootIdentity``.
    public var bootIdentity: @Sendable () -> String? = { BootIdentity.current }
    /// Whether the system says that its time of day is kept right (adjtimex(2)).
    public var isSynchronised: @Sendable () -> Bool = { psp_clock_is_synchronised() != 0 }

    /// Those of this machine.
    public init() {}
}
