internal import CLibevent

/// How this module makes libevent's event bases.
enum EventBase {
    /// A new base without a lock, as only its loop's thread touches it, and whatever the environment says.
    /// - Parameter usesChangelist: saves system calls where interest in a descriptor changes often, and hands changes to the
    ///   system with the next pass only. Unsafe with duplicated descriptors: nothing in this module calls dup, and everything is
    ///   close-on-exec, so that no other process shares one.
    static func make(usesChangelist: Bool) throws(LibeventError) -> OpaquePointer {
        guard let config = event_config_new() else { throw .library(call: "event_config_new") }
        defer { event_config_free(config) }
        var flags = EVENT_BASE_FLAG_NOLOCK.rawValue | EVENT_BASE_FLAG_IGNORE_ENV.rawValue
        if usesChangelist { flags |= EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST.rawValue }
        guard event_config_set_flag(config, Int32(flags)) == 0, let base = event_base_new_with_config(config) else {
            throw .library(call: "event_base_new_with_config")
        }
        return base
    }
}
