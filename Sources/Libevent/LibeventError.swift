internal import Base
internal import Glibc

/// What can go wrong in this module, for reasons outside the program. Misuse (a loop-bound object touched from another thread, an
/// exchange answered twice) traps instead.
public enum LibeventError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Somebody listens on that address, or on one that covers it.
    case addressInUse(SocketAddress)
    /// The text is no `ADDRESS:PORT`.
    case invalidAddress(String)
    /// A system call failed with that `errno`.
    case system(call: String, code: Int32)
    /// libevent could not make an object; in practice, no memory or no descriptor is left.
    case library(call: String)
    /// No answer came within the time given.
    case timedOut
    /// The peer closed, refused or broke the connection before its answer was complete.
    case disconnected
    /// The server is not spoken to by TLS.
    case distrusted(TLSDistrust)
    /// The peer's answer was no HTTP, or larger than the limit.
    case malformedResponse

    /// One line for a log or for the operator.
    public var description: String {
        switch self {
        case .addressInUse(let address): "\(address) is in use"
        case .invalidAddress(let text): "\"\(text)\" is no ADDRESS:PORT"
        case .system(let call, let code): "\(call): \(SystemError(code: code))"
        case .library(let call): "\(call) failed"
        case .timedOut: "timed out"
        case .disconnected: "connection refused, closed or broken"
        case .distrusted(let reason): "\(reason)"
        case .malformedResponse: "the answer is no HTTP, or too large"
        }
    }

    /// The failure of `call`, from `errno`. Call it before anything else can change `errno`.
    static func lastSystemError(_ call: String) -> LibeventError { .system(call: call, code: errno) }
}
