/// Whether the store takes changes.
public enum Health: Hashable, Sendable {
    case serving
    /// It takes changes, but they have waited too long for it for some time.
    case behind
    /// The disk is full: heals by itself.
    case full
    /// Something keeps the store from writing, such as another program's lock: nothing is in doubt, and it heals by itself.
    case blocked(reason: String)
    /// Nobody knows what the disk holds, or it is no longer this store's: serves reads until a restart.
    case failed(reason: String)
}
