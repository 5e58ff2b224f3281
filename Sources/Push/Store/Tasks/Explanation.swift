/// Why a device has a task, or has it not.
public struct Explanation: Sendable {
    /// What the task was to the device.
    public enum Standing: Hashable, Sendable {
        /// It was in the target when the task was accepted.
        case addressed
        /// It joined the target of a configuration afterwards.
        case joined
        /// It was registered and not in the target, and has not joined it.
        case outside
        /// It was not registered then, or was another's.
        case unregistered
    }

    /// Where the device belonged when the task was accepted.
    public struct Membership: Hashable, Sendable {
        /// Its organisation.
        public let organisation: OrgID
        /// Its holder.
        public let user: UserID?
        /// Whether it was a test device.
        public let test: Bool

        /// It belonged there.
        public init(organisation: OrgID, user: UserID?, test: Bool) {
            self.organisation = organisation
            self.user = user
            self.test = test
        }
    }

    /// What a pending task waits for.
    public struct Wait: Hashable, Sendable {
        /// How many other tasks the device has to get before it.
        public let ahead: Int
        /// There may be more of them than were looked at.
        public let isMore: Bool
        /// The oldest of them.
        public let behind: TaskID?
        /// What the device's connection has sent and it has not acknowledged; `nil` where its loop did not tell in time.
        public let unacknowledged: Unacknowledged?
        /// When the oldest of that was sent, in Unix milliseconds.
        public let oldestUnacknowledgedAt: Int64?

        /// - Parameter now: the wall clock.
        public init(ahead: Int, isMore: Bool, behind: TaskID?, unacknowledged: Unacknowledged?, now: Int64) {
            self.ahead = ahead
            self.isMore = isMore
            self.behind = behind
            self.unacknowledged = unacknowledged
            oldestUnacknowledgedAt = unacknowledged?.oldestAge.map { now - $0 }
        }
    }

    /// The task.
    public let task: TaskReport
    /// The device as it is now.
    public let device: Device
    /// What the task was to it.
    public let standing: Standing
    /// What became of the task there, where it was for the device.
    public let state: RecipientState?
    /// The reason code by which the device rejected it ("0x97").
    public let detail: String?
    /// Where it belonged when the task was accepted, where it was registered.
    public let membership: Membership?
    /// What it waits for, where it is pending.
    public let wait: Wait?
    /// When it was sent on the device's present connection, in Unix milliseconds, where it is not acknowledged.
    public let sentAt: Int64?
    /// When it was acknowledged there, for as long as the connection remembers.
    public let acknowledgedAt: Int64?

    /// Why, as of one moment or nearly so.
    /// - Parameters:
    ///   - message: what the device's connection remembers of it.
    ///   - now: the wall clock.
    public init(
        task: TaskReport, device: Device, standing: Standing, state: RecipientState?, detail: String?, membership: Membership?,
        wait: Wait?, message: Unacknowledged.Message?, now: Int64
    ) {
        self.task = task
        self.device = device
        self.standing = standing
        self.state = state
        self.detail = detail
        self.membership = membership
        self.wait = wait
        // An age is of whole tenths of a second: it may reach back to before there was such a task.
        let time = message.map { max(now - $0.age, task.createdAt) }
        sentAt = message?.isAcknowledged == false ? time : nil
        acknowledgedAt = message?.isAcknowledged == true ? time : nil
    }

    /// In one word, what is to be said of it.
    public var reason: Reason {
        switch standing {
        case .unregistered: return .notRegistered
        case .outside: return .notInTarget
        case .addressed, .joined: break
        }
        guard let state, state == .pending else { return .ended }
        guard device.online else { return .offline }
        guard let unacknowledged = wait?.unacknowledged else { return .untold }
        if sentAt != nil { return .sent }
        return unacknowledged.count == 0 ? .catchingUp : .waiting
    }

    /// See ``Explanation/reason``.
    public enum Reason: String, Hashable, Sendable, CaseIterable {
        /// The device was not registered when the task was accepted, or was another holder's.
        case notRegistered = "not_registered"
        /// It was not in the target.
        case notInTarget = "not_in_target"
        /// What became of it there is final: the state tells.
        case ended
        /// It waits for the device to connect.
        case offline
        /// The device reads what it has missed, and comes to it.
        case catchingUp = "catching_up"
        /// It was sent, and is not acknowledged.
        case sent
        /// It waits until the device has acknowledged others before it.
        case waiting
        /// It waits, and the loop of the device's connection did not tell for what.
        case untold
    }
}
