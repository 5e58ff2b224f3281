/// What a device runs; it decides how large a payload may be.
public enum Platform: String, Hashable, Sendable, CaseIterable {
    case android
    case ios

    /// The largest payload, in bytes as `Payload.measuredSize` counts them.
    public var payloadLimit: Int {
        switch self {
        case .android: 1024
        case .ios: 256
        }
    }
}

/// The two interfaces of pushing; an app may be allowed to use either or both.
public enum Interface: String, Hashable, Sendable, CaseIterable {
    /// `/psp/push/msg`: a message is an event.
    case message = "msg"
    /// `/psp/push/config`: a configuration is state, of which only the newest counts.
    case configuration = "config"
}
