/// How a connection behaves.
public struct PostgresOptions: Sendable {
    /// Where the server is. What it says of `application_name`, `connect_timeout`, `target_session_attrs`, `tcp_user_timeout`,
    /// `keepalives…`, `gssencmode` goes before what stands here.
    public var address: PostgresAddress
    /// A file with nothing but the password, read at each attempt to connect; nil: the password is in the address, in libpq's
    /// `passfile`, or there is none.
    public var passwordFile: String?
    /// The name that `pg_stat_activity` shows.
    public var applicationName = "psp"
    /// `read-write`: a server that only reads is none. `any`, `standby`…: as libpq has it.
    public var targetSessionAttributes = "read-write"
    /// How long one host has until a session with it is ready.
    public var connectTimeout = Duration.seconds(3)
    /// After how long without an acknowledgement of what was sent the connection is broken (tcp(7), `TCP_USER_TIMEOUT`).
    public var userTimeout = Duration.seconds(5)
    /// After how much silence of an idle connection the peer's system is asked whether it is there, and how often in all.
    public var keepAlive = (idle: Duration.seconds(5), interval: Duration.seconds(2), count: 3)
    /// Settings of the session (`SET name = value`), given with the connection's first packet.
    public var settings: [(name: String, value: String)] = []
    /// The channels to listen to.
    public var channels: [String] = []
    /// How many calls may be on their way at once; 1: none is sent before the last one's answer.
    public var pipelineDepth = 64
    /// How many more may wait.
    public var mostWaiting = 4096
    /// Whether the server is asked to cancel a call that it works on when its deadline has passed. Not for what writes where a
    /// standby has to have it: a call that is cancelled while it waits for the standby is committed all the same, is seen by
    /// everybody, and is gone with its server when the standby is promoted.
    public var cancels = true
    /// How long the server has to answer when a call that it works on is cancelled because of its deadline; then the connection
    /// is given up.
    public var cancelPatience = Duration.seconds(1)
    /// The pause between two rounds over all hosts: the first, and what it grows to by doubling. The half of each is drawn, so
    /// that nodes which have lost the same server do not come back at the same moment.
    public var retry = (first: Duration.milliseconds(100), last: Duration.seconds(3))

    /// The defaults.
    public init(_ address: PostgresAddress) { self.address = address }
}
