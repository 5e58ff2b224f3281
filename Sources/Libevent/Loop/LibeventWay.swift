internal import CLibevent

/// How a loop uses libevent.
public enum LibeventWay: String, Sendable {
    /// Also on what libevent 2.1 does and nowhere promises, which makes a push cheaper; what that is stands in the folder
    /// `Unpromised`.
    case direct
    /// On what its headers promise, and nothing else.
    case plain

    /// The way that the libevent in this process allows.
    public static var best: LibeventWay { isVersionKnown ? .direct : .plain }

    /// The version of the libevent in this process: "2.1.12-stable".
    public static var version: String { String(cString: event_get_version()) }

    /// 2.1 will not change any more, and all of its releases that are in use behave alike.
    private static var isVersionKnown: Bool { event_get_version_number() >> 16 == 0x0201 }
}
