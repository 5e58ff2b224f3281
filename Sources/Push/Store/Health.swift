/// Whether the store takes changes.
public enum Health: Hashable, Sendable {
    case serving
    /// The disk is full: heals by itself.
    case full
    /// A write or fsync failed: serves reads until a restart.
    case failed(reason: String)
}
