internal import Libevent

/// Who gets how many of the process's descriptors, so that no one of them can use up what another needs.
struct DescriptorShares: Equatable {
    /// The store's files, the loops', the log, and what the runtime opens.
    let process: Int
    /// The operators' connections. An operator gets in, whatever callers and devices do.
    let operators: Int
    /// Connections of callers and devices that are only told that there is no room for them.
    let surplus: Int
    /// All other connections of callers and devices.
    let connections: Int

    /// - Parameters:
    ///   - openFiles: how many descriptors the process may have.
    ///   - hasTLS: there may be listeners with TLS beside those in clear.
    init(openFiles: Int, loops: Int, hasTLS: Bool = false) {
        process = 96 + 8 * loops
        operators = min(256, max(16, openFiles / 8))
        // For callers and for devices on each loop, and for operators; and what each of their listeners has just accepted.
        surplus = (2 * loops + 1) * (ConnectionBudget.surplus + (hasTLS ? 2 : 1))
        connections = max(16, openFiles - process - operators - surplus)
    }
}
