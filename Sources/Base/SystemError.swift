internal import Glibc

/// The system refused a call.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call's `errno`.
    public let code: Int32

    /// - Parameter code: an `errno`.
    public init(code: Int32) { self.code = code }

    /// The error of the call that has just failed. Ask before anything else can change `errno`.
    public static var last: SystemError { SystemError(code: errno) }

    /// The system's text, in English or in the language of the environment.
    public var description: String {
        var buffer = [CChar](repeating: 0, count: 128)
        guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
