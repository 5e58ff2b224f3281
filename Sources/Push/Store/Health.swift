/// Whether the store takes changes.
public enum Health: Hashable, Sendable {
    case serving
    /// It takes changes, but they have waited too long for it for some time.
    case behind
    /// The disk is full: heals by itself.
    case full
    /// Something keeps the store from writing, such as another program's lock: nothing is in doubt, and it heals by itself.
    case blocked(reason: BilingualText)
    /// The store is another machine's, and does not answer, or this node has not caught up with it since, or is not fit for it.
    /// Nothing is in doubt but what was on its way.
    /// - Parameter remedy: what somebody has to do, before it goes on by itself; `nil`: nothing.
    case unreachable(reason: BilingualText, remedy: BilingualText? = nil)
    /// Nobody knows what the disk holds, or it is no longer this store's: serves reads until a restart.
    case failed(reason: BilingualText)
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
    public var detail: BilingualText? {
        switch self {
        case .serving, .behind, .full: nil
        case .blocked(let reason), .unreachable(let reason, _), .failed(let reason): reason
        }
    }

    /// What somebody has to do about it, where it does not heal by itself and the store knows.
    public var remedy: BilingualText? { if case .unreachable(_, let remedy) = self { remedy } else { nil } }

    /// All names.
    public static let allNames = [
        Health.serving, .behind, .full, .blocked(reason: .none), .unreachable(reason: .none), .failed(reason: .none),
    ].map(\.name)
}

extension BilingualText {
    fileprivate static let none = BilingualText("", "")
}
