internal import Glibc

/// The process's limit on open files, which is its limit on connections.
enum OpenFiles {
    /// Raises the soft limit to the hard one, as far as this process may.
    /// - Returns: the limit in force.
    static func raiseLimit() -> UInt64 {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        let soft = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        return setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? UInt64(limit.rlim_max) : UInt64(soft)
    }
}
