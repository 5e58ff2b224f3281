internal import Base

/// By what a request is called in the log, in its reply, and wherever else it leaves a trace: what the peer calls it
/// (`X-Request-Id`), or a name of the server's own.
public enum RequestID {
    /// The most bytes that a peer's may have.
    public static let longest = 64

    /// A peer's, if it is one that may stand anywhere: letters, digits, `.`, `_` and `-`.
    public static func accepted(_ value: UnsafeRawBufferPointer) -> String? {
        guard (1...longest).contains(value.count), value.allSatisfy(\.isNameByte) else { return nil }
        return String(decoding: value, as: UTF8.self)
    }
}

/// Makes names for requests: 12 characters, which a `String` holds without any memory of its own. They begin at random, and none
/// comes again before 2^60 others.
struct RequestIDs {
    private var random = SplitMix()
    private static let characters: StaticString = "0123456789abcdefghijklmnopqrstuv"

    mutating func next() -> String {
        var number = random.next()
        return String(unsafeUninitializedCapacity: 12) { buffer in
            for index in 0..<12 {
                buffer[index] = Self.characters.utf8Start[Int(number & 31)]
                number >>= 5
            }
            return 12
        }
    }
}
