/// Whether the store takes changes.
public enum Health: Hashable, Sendable {
    case serving
    /// It takes changes, but they have waited too long for it for some time.
    case behind
    /// The disk is full: heals by itself.
    case full
    /// Something keeps the store from writing, such as another program's lock: nothing is in doubt, and it heals by itself.
    case blocked(reason: String)
    /// The store is another machine's, and does not answer, or this node has not caught up with it since: heals by itself, and
    /// nothing is in doubt but what was on its way.
    case unreachable(reason: String)
    /// Nobody knows what the disk holds, or it is no longer this store's: serves reads until a restart.
    case failed(reason: String)
}

extension Health {
    /// What the interface and figures call it.
    public var name: String {
        switch self {
        case .serving: "serving"
        case .behind: "behind"
        case .full: "disk_full"
        case .blocked: "blocked"
        case .unreachable: "unreachable"
        case .failed: "failed"
        }
    }

    /// Why, where the store knows.
    public var detail: String? {
        switch self {
        case .serving, .behind, .full: nil
        case .blocked(let reason), .unreachable(let reason), .failed(let reason): reason
        }
    }

    /// All names.
    public static let allNames = [
        Health.serving, .behind, .full, .blocked(reason: ""), .unreachable(reason: ""), .failed(reason: ""),
    ].map(\.name)
}
