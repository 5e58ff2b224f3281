/// The two interfaces of pushing; an app may be allowed to use either or both.
public enum Interface: String, Hashable, Sendable, CaseIterable {
    /// `/psp/push/msg`: a message is an event.
    case message = "msg"
    /// `/psp/push/config`: a configuration is state, of which only the newest counts.
    case configuration = "config"
}
