/// What a push would do that an operator asks about: nothing is stored by it, and nothing taken of the app's quota.
public enum PushPreview: Hashable, Sendable {
    /// Its `out_biz_no` has made a task before: nothing would be sent, and that task be the answer.
    case repeated(TaskID)
    /// A task would be made.
    case accepted(Addressed)

    /// Whom the task would address, and for how long.
    public struct Addressed: Hashable, Sendable {
        /// Devices by platform, those that are left out included.
        public let android: Int
        /// The same.
        public let ios: Int
        /// iOS devices that would be left out, since the payload is too large for them.
        public let skippedOversize: Int
        /// How many that would get it are connected now; `nil` where only counting them one by one would tell.
        public let online: Int?
        /// Unix milliseconds; `nil` never.
        public let expireAt: Int64?

        /// Whom a task would address.
        public init(android: Int, ios: Int, skippedOversize: Int, online: Int?, expireAt: Int64?) {
            self.android = android
            self.ios = ios
            self.skippedOversize = skippedOversize
            self.online = online
            self.expireAt = expireAt
        }

        /// All of them.
        public var targeted: Int { android + ios }
    }
}
