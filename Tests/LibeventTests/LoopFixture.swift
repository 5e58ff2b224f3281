import Glibc
import Libevent
import Testing

/// `PSP_HTTP_PLAIN=1` has all of these tests run on the plain way (`make test-plain`).
let testedWay: LibeventWay = getenv("PSP_HTTP_PLAIN").map { String(cString: $0) } == "1" ? .plain : .best

/// A loop that has not started.
func makeLoop(_ name: String = "test", way: LibeventWay = testedWay) throws -> EventLoop {
    try EventLoop(name: name, way: way)
}

/// Runs `body` with loops that end with it.
///
/// `@concurrent`, here and in the other fixtures: a closure that inherits its caller's executor, called right after an `await` on
/// an actor, is run on that actor's executor by Swift 6.3 when the caller is not isolated. A test that blocks would block the
/// loop.
func withLoops<R>(
    _ count: Int, way: LibeventWay = testedWay, _ body: @concurrent ([EventLoop]) async throws -> R
) async throws -> R {
    let loops = try (0..<count).map { try makeLoop("test \($0)", way: way) }
    for loop in loops { loop.start() }
    let result: Result<R, any Error>
    do { result = .success(try await body(loops)) } catch { result = .failure(error) }
    for loop in loops { loop.stop() }
    for loop in loops { loop.join() }
    return try result.get()
}

func withLoop<R>(
    _ way: LibeventWay = testedWay, _ body: @concurrent (EventLoop) async throws -> R
) async throws -> R {
    try await withLoops(1, way: way) { try await body($0[0]) }
}

/// An actor of a loop on which a test can do anything.
actor OnLoop {
    let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    init(_ loop: EventLoop) { self.loop = loop }

    func run<R: Sendable>(_ body: @Sendable (isolated OnLoop) throws -> R) rethrows -> R { try body(self) }
}

struct TimedOut: Error, CustomStringConvertible {
    let description: String
}

/// Waits until the condition holds; fails the test after `limit`. Where descriptors are short it must not sleep by the runtime,
/// which needs one for its timer and traps without.
func wait(
    until what: String, limit: Duration = .seconds(60), byRuntime: Bool = true, _ condition: @Sendable () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else { throw TimedOut(description: "never happened: \(what)") }
        if byRuntime { try await Task.sleep(for: .milliseconds(2)) } else { usleep(2000) }
    }
}

let anyPort = "127.0.0.1:0"

func bindAnyPort(count: Int = 1) throws -> [ListeningSocket] {
    try ListeningSocket.bind(SocketAddress(parsing: anyPort), count: count)
}
