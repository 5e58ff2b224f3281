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
