import CFuzzer
import Glibc

/// What is fuzzed: bytes that somebody else has made.
///
/// A target traps where it finds a fault. What must hold of any input is `require`d, besides that nothing crashes.
enum Target: String, CaseIterable {
    case mqtt, head, chunks, push, settings
    case importLines = "import"

    /// Tries one input.
    var attempt: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt {
        switch self {
        case .mqtt: { MQTTTarget.attempt(Input($0, $1)) }
        case .head: { HeadTarget.attempt(Input($0, $1)) }
        case .chunks: { ChunkTarget.attempt(Input($0, $1)) }
        case .push: { PushTarget.attempt(Input($0, $1)) }
        case .settings: { SettingsTarget.attempt(Input($0, $1)) }
        case .importLines: { ImportTarget.attempt(Input($0, $1)) }
        }
    }
}

/// `fuzz TARGET [libFuzzer's arguments]`.
@main
struct Fuzz {
    static func main() {
        guard CommandLine.arguments.count > 1, let target = Target(rawValue: CommandLine.arguments[1]) else {
            print("usage: fuzz \(Target.allCases.map(\.rawValue).joined(separator: "|")) [libFuzzer's arguments]")
            exit(2)
        }
        // libFuzzer sees its own arguments only.
        var count = CommandLine.argc - 1
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 1
        arguments?[0] = CommandLine.unsafeArgv[0]
        exit(LLVMFuzzerRunDriver(&count, &arguments, target.attempt))
    }
}

/// An input: its first bytes say how it is cut, the rest is what is read.
struct Input {
    let bytes: [UInt8]
    /// How long the pieces are, in turn.
    let pieces: [Int]

    /// So many bytes are no part of what is read.
    static let headSize = 3

    init(_ start: UnsafePointer<UInt8>?, _ count: Int) {
        let all = UnsafeBufferPointer(start: start, count: count)
        pieces = all.prefix(Self.headSize).map { Int($0) + 1 }
        bytes = Array(all.dropFirst(Self.headSize))
    }

    /// Calls `body` with where the input has come so far, piece by piece, the last time with all of it.
    func forEachEnd(_ body: (Int) -> Void) {
        var (end, turn) = (0, 0)
        while end < bytes.count {
            end = min(bytes.count, end + pieces[turn % pieces.count])
            turn += 1
            body(end)
        }
    }
}

/// What must hold.
func require(_ condition: Bool, _ what: @autoclosure () -> String) {
    if !condition { fatalError(what()) }
}
