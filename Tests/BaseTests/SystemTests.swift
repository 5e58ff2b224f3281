import Base
import Glibc
import Testing

@Suite("Descriptors, clocks, locks")
struct SystemTests {
    @Test("all bytes are written, though the reader takes them in small pieces")
    func writing() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let reader = ends[0]
        defer { close(reader) }
        let sent = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0) }
        let writer = ends[1]
        let received = Locked<[UInt8]>([])
        let thread = Thread {
            var chunk = [UInt8](repeating: 0, count: 7_000)
            while case let count = read(reader, &chunk, chunk.count), count > 0 { received.withLock { $0 += chunk[..<count] } }
        }
        try writeAll(sent, to: writer)
        close(writer)
        thread.join()
        #expect(received.withLock { $0 } == sent)
    }

    @Test("a descriptor that cannot be written tells the system's error")
    func failing() throws {
        let descriptor = open("/dev/full", O_WRONLY | O_CLOEXEC)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        #expect(throws: SystemError(code: ENOSPC)) { try writeAll([1], to: descriptor) }
        #expect(SystemError(code: ENOSPC).description == String(cString: strerror(ENOSPC)))
    }

    @Test("the clocks agree on their units")
    func clocks() {
        let before = MonotonicClock.nanoseconds
        let microseconds = MonotonicClock.microseconds
        let after = MonotonicClock.nanoseconds
        #expect(before / 1_000 <= microseconds && microseconds <= after / 1_000)
        #expect(abs(WallClock.milliseconds - WallClock.microseconds / 1_000) < 10_000)
        // It counts what the monotonic clock does, and the time for which the machine was suspended.
        #expect(BootClock.microseconds >= MonotonicClock.microseconds - 1_000)
        let clocks = SystemClocks()
        #expect(abs(clocks.wall() - WallClock.microseconds) < 10_000_000)
        #expect(abs(clocks.boot() - BootClock.microseconds) < 10_000_000)
        _ = clocks.isSynchronised()
    }

    @Test("a boot has a name, the same whenever it is asked for")
    func boot() throws {
        let name = try #require(BootIdentity.current)
        #expect(name == BootIdentity.current && name.utf8.count > 36 && !name.contains("\n"))
    }

    @Test("a locked value is changed by one thread at a time")
    func locking() {
        let count = Locked(0)
        let threads = (0..<4).map { _ in
            Thread { for _ in 0..<10_000 { count.withLock { $0 += 1 } } }
        }
        for thread in threads { thread.join() }
        #expect(count.withLock { $0 } == 40_000)
    }
}

/// A thread of the system's.
private struct Thread {
    private let handle: pthread_t

    init(_ body: @escaping @Sendable () -> Void) {
        final class Start: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var handle = pthread_t()
        let result = pthread_create(
            &handle, nil,
            { context in
                if let context { Unmanaged<Start>.fromOpaque(context).takeRetainedValue().body() }
                return nil
            }, Unmanaged.passRetained(Start(body)).toOpaque())
        precondition(result == 0)
        self.handle = handle
    }

    func join() { pthread_join(handle, nil) }
}
