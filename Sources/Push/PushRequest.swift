public import Base

/// A push as a caller asked for it: checked as far as its own bytes go. What depends on the directory, on the clock or on
/// earlier pushes is decided by the store (``TaskStore/append(_:answer:)``).
///
/// A class: it passes through half a dozen hands, most of them suspended calls, and each would copy ten fields.
public final class PushRequest: Sendable {
    /// Whom a push addresses, by the names that callers use.
    public enum Target: Hashable, Sendable {
        /// The one device.
        case device(DeviceToken)
        /// Every device of that user.
        case user(UserID)
        /// That organisation and everything below it.
        case organisation(OrgID)
    }

    /// The caller's own id of a push, by which a repeat is recognised.
    public struct Idempotency: Hashable, Sendable {
        /// `policy.out_biz_no`, 1 to 128 bytes.
        public let outBizNo: ExactText
        /// SHA-256 of interface and body without insignificant white space: what a repeat must match.
        public let fingerprint: [UInt8]
        /// An id with the fingerprint of the request that carries it.
        public init(outBizNo: ExactText, fingerprint: [UInt8]) {
            self.outBizNo = outBizNo
            self.fingerprint = fingerprint
        }
    }

    /// From where a push came, by what its request was called, and who made it for the app: kept with its task, for operators.
    public struct Origin: Hashable, Sendable {
        /// The client's address, if it was known.
        public let client: IPAddress?
        /// The request's id, as its reply told it.
        public let requestID: String
        /// The operator who has pushed on behalf of the app; `nil` where the app has itself, or whoever has the installation's
        /// token.
        public let `operator`: OperatorName?
        /// An origin.
        public init(client: IPAddress?, requestID: String, operator: OperatorName? = nil) {
            self.client = client
            self.requestID = requestID
            self.operator = `operator`
        }
    }

    /// The app that asks.
    public let app: AppKey
    /// The interface that was called.
    public let interface: Interface
    /// Whom it addresses.
    public let target: Target
    /// What is sent.
    public let payload: Payload
    /// `production_mode` false: only the target's devices that are registered as test devices.
    public let testOnly: Bool
    /// What operators read about the push; at most 1,024 bytes.
    public let description: String?
    /// What groups pushes for statistics; at most 128 bytes.
    public let tag: ExactText?
    /// The caller's wish, in Unix milliseconds; `nil` means the default. See ``Expiry/resolve(_:of:now:)``.
    public let expireTime: Int64?
    /// By which a repeat is recognised, if the caller wants that.
    public let idempotency: Idempotency?
    /// What makes a request that is signed as a whole one of its kind.
    public let nonce: UsedNonce?
    /// From where it came, if that was known.
    public let client: IPAddress?
    /// By what its request was called.
    public let requestID: String?

    /// These two, where there is a request.
    public var origin: Origin? { requestID.map { Origin(client: client, requestID: $0) } }

    /// A push of which everything that is left out has its default.
    public init(
        app: AppKey, interface: Interface, target: Target, payload: Payload, testOnly: Bool = false, description: String? = nil,
        tag: ExactText? = nil, expireTime: Int64? = nil, idempotency: Idempotency? = nil, nonce: UsedNonce? = nil,
        origin: Origin? = nil
    ) {
        self.app = app
        self.interface = interface
        self.target = target
        self.payload = payload
        self.testOnly = testOnly
        self.description = description
        self.tag = tag
        self.expireTime = expireTime
        self.idempotency = idempotency
        self.nonce = nonce
        (client, requestID) = (origin?.client, origin?.requestID)
    }
}

/// The `payload` object of a push.
public struct Payload: Hashable, Sendable {
    /// The object as the caller sent it, without insignificant white space.
    public let bytes: [UInt8]
    /// Where `body` lies in ``bytes``: what reaches the device, byte for byte.
    public let body: Range<Int>
    /// The size that the limits count: as Python's `json.dumps(payload, ensure_ascii=False, separators=(",", ":"))` would
    /// write it in UTF-8, numbers as sent.
    public let measuredSize: Int
    /// `nil` for a configuration.
    public let displayType: DisplayType?

    /// A payload that has been checked: `PushDecoder` makes them.
    public init(bytes: [UInt8], body: Range<Int>, measuredSize: Int, displayType: DisplayType?) {
        self.bytes = bytes
        self.body = body
        self.measuredSize = measuredSize
        self.displayType = displayType
    }

    /// Whether a device of that platform takes it.
    public func fits(_ platform: Platform) -> Bool { measuredSize <= platform.payloadLimit }
}

/// How a device shows a message.
public enum DisplayType: String, Hashable, Sendable, CaseIterable {
    /// Shown by the system, with a title.
    case notification
    /// Handed to the application.
    case message
}
