public import Push
public import Web

/// A front of the REST interfaces: its errors are the catalogue's, in the envelope; what it is asked, the store answers.
public protocol APIFront: Front where Headers == RequestHeaders {
    /// The loop's port of the store: its answers come back to this loop.
    var store: any StorePort { get }
    /// Whether the server ends: it is alive, and not ready.
    var isEnding: Bool { get }
    /// Whether the process's loops have begun.
    var readiness: Readiness { get }
    /// Whether whoever reaches the listener may know what ails the server.
    static var tellsCauses: Bool { get }
}

extension APIFront {
    /// Whether the store cannot be asked now, and what this process knows may be the past: of what it does not know nobody can
    /// tell that there is no such thing.
    var isCutOff: Bool { if case .unreachable = store.health { true } else { !readiness.hasBegun } }

    /// The error's row of the catalogue, in the caller's language.
    public func reply(to error: any Error, headers: RequestHeaders) -> Reply { .failure(error, for: headers) }
}
