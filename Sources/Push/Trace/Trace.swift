public import Base

/// What an operator wants to see in full for some minutes.
public enum TraceSubject: Hashable, Sendable {
    /// A device, and the pushes that name it.
    case device(DeviceToken)
    /// A user, and the devices that it held when the trace began.
    case user(UserID, devices: Set<DeviceToken>)
    /// An app: everything that it sends.
    case app(AppKey)
    /// Everything that comes from there.
    case address(IPAddress)
}

/// What an event is about, as far as is known.
public struct TraceObject: Sendable {
    /// The device.
    public var device: DeviceToken?
    /// The user that a push names.
    public var user: UserID?
    /// The app that calls, or says that it does.
    public var app: AppKey?
    /// Where it comes from.
    public var address: IPAddress?

    /// About these.
    public init(device: DeviceToken? = nil, user: UserID? = nil, app: AppKey? = nil, address: IPAddress? = nil) {
        self.device = device
        self.user = user
        self.app = app
        self.address = address
    }
}

/// Something that happened to what is traced. No password and no payload is in it.
public struct TraceEvent: Sendable {
    /// Unix milliseconds.
    public let time: Int64
    /// What happened: `sent`.
    public let name: String
    /// What there is to say of it.
    public let fields: [(name: String, value: String)]

    /// It happened then.
    public init(time: Int64, name: String, fields: [(name: String, value: String)]) {
        self.time = time
        self.name = name
        self.fields = fields
    }
}

/// A trace that was begun.
public struct Trace: Sendable {
    /// By what it is called.
    public let id: String
    /// What is told.
    public let subject: TraceSubject
    /// Until when, in Unix milliseconds.
    public let until: Int64
}
