package import Base
package import Push

/// A row of the log: message and task in one, or a reference to a configuration that somebody joined.
package struct StoredRow {
    /// What a row is.
    package enum Kind: Int64, Sendable {
        case message = 0
        case configuration = 1
        /// Sent, superseded and counted as the task that `reference` names.
        case reference = 2
    }

    /// How a task was ended by somebody; expiry and completion are computed.
    package enum End: Int64, Sendable {
        case none = 0
        case cancelled = 1
        case superseded = 2
    }

    /// Its place in the log; 0 until it is appended.
    package var seq: UInt64
    package var kind: Kind
    /// The number of the app.
    package var app: Int64
    package var target: TargetKey
    /// The audience but for its organisation, as bits: ``testOnly``, ``withoutIOS``.
    package var flags: Int64
    /// The organisation that bounds who receives it.
    package var within: UInt32?
    /// When it was accepted, in store time.
    package var created: Int64
    /// In store time; `nil` never.
    package var expires: Int64?
    /// How far the wall clock was ahead of store time when it was accepted, in milliseconds.
    package var offset: Int64
    /// The caller's payload object; empty in a reference.
    package var payload: [UInt8]
    /// Where `body` lies in the payload.
    package var body: Range<Int>
    /// Of a message.
    package var display: DisplayType?
    package var tag: ExactText?
    /// Of a configuration: greater than every one before.
    package var version: Int64?
    /// The task that a reference names.
    package var reference: UInt64?
    /// Devices that it addressed when it was accepted.
    package var targeted: Int
    /// iOS devices of those that were left out when it was accepted.
    package var skipped: Int
    package var end: End
    /// In store time.
    package var endedAt: Int64?
    package var description: String?

    package static let testOnly: Int64 = 1
    package static let withoutIOS: Int64 = 2

    /// A row with everything that is stored of it.
    @inlinable
    package init(
        seq: UInt64 = 0, kind: Kind, app: Int64, target: TargetKey, flags: Int64, within: UInt32?, created: Int64,
        expires: Int64?, offset: Int64 = 0, payload: [UInt8], body: Range<Int>, display: DisplayType?, tag: ExactText?,
        version: Int64?,
        reference: UInt64? = nil, targeted: Int, skipped: Int, end: End = .none, endedAt: Int64? = nil, description: String?
    ) {
        self.seq = seq
        self.kind = kind
        self.app = app
        self.target = target
        self.flags = flags
        self.within = within
        self.created = created
        self.expires = expires
        self.offset = offset
        self.payload = payload
        self.body = body
        self.display = display
        self.tag = tag
        self.version = version
        self.reference = reference
        self.targeted = targeted
        self.skipped = skipped
        self.end = end
        self.endedAt = endedAt
        self.description = description
    }

    package var isTestOnly: Bool { flags & Self.testOnly != 0 }
    package var isWithoutIOS: Bool { flags & Self.withoutIOS != 0 }
    package var interface: Interface { kind == .message ? .message : .configuration }

    /// When it was accepted, as people see it: Unix milliseconds.
    package var createdAt: Int64 { created + offset }
    /// When it expires, as people see it: what its caller asked for.
    package var expireAt: Int64? { expires.map { $0 + offset } }

    /// Which of the target's devices it is for.
    package var audience: Audience {
        Audience(testOnly: isTestOnly, withoutIOS: isWithoutIOS, within: within.map { OrgHandle(index: $0) })
    }

    /// Whether it may still be handed to a device.
    /// - Parameter now: store time.
    package func isDeliverable(at now: Int64) -> Bool {
        end == .none && (expires.map { $0 > now } ?? true)
    }

    /// A reference to this row, for who joined its target later.
    /// - Parameter within: the scope, where the target may reach beyond it.
    package func reference(to target: TargetKey, within: UInt32?, created: Int64) -> StoredRow {
        var reference = self
        reference.seq = 0
        reference.kind = .reference
        reference.target = target
        reference.within = within
        reference.created = created
        reference.reference = seq
        reference.payload = []
        reference.description = nil
        return reference
    }

    /// The row as devices get it.
    /// - Parameters:
    ///   - position: where it stands for the device: its own, or that of a reference to it.
    ///   - target: whom it addresses there.
    package func delivered(
        as task: TaskID, of app: AppKey, at position: UInt64, to target: TargetKey, in lane: Lane
    ) -> Row {
        let message = DeviceMessage.compose(
            task: task, app: app, displayType: display, body: payload[body], tag: tag?.text, version: version.map { UInt64($0) },
            sentAt: createdAt)
        return Row(
            task: task, position: Position(raw: position), target: target.rowTarget(in: lane), audience: audience,
            expires: expires, topic: kind == .message ? .message : .configuration, payload: message)
    }
}
