/// What a store may leave to others and still be of use: a test double that lives in memory promises less than a database.
///
/// What is not named here is asked of every store.
public enum Capability: String, Hashable, Sendable, CaseIterable {
    /// Its time stands still unless a test moves it, so that tests may count on single milliseconds.
    case standingClock
    /// What was told outlives a clean end.
    case restart
    /// What was answered outlives the end of every process of the store at any moment.
    case crash
    /// A configuration supersedes the older one, and whoever joins a target receives its current ones.
    case configurations
    /// A change of holder withdraws what was pending, in the counts too; devices that are gone stay in a task's lists.
    case holders
    /// An app's scope bounds what it reaches.
    case scopes
    /// What has a lifetime ends: `out_biz_no` after a day, a task some time after its end; whatever becomes of a wall clock.
    case lifetimes
    /// How much an app may push is bounded.
    case quotas
    /// Operators with their sessions, and what a scope hides from them.
    case operators
    /// Rows carry the JSON that devices receive.
    case payloads
    /// A row for one device goes to no loop but the one that has its connection.
    case directedRows
    /// A loop has a push before the answer to its caller; without it, soon.
    case promptFeed
    /// Acknowledgements that one port was told are in the other's reports at once; without it, within a second.
    case sharedFacts
    /// What was acknowledged is never told again after a crash, if it was read by then: also not a configuration that was joined.
    case exactCursors
    /// When a device was seen last.
    case lastSeen
    /// Its database is another machine's, from which it can be cut off.
    case distance
    /// Lists refuse a token that they did not give out.
    case strictTokens
}
