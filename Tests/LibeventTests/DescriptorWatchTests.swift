import Base
import Glibc
import Testing

@testable import Libevent

@Suite("Somebody else's descriptors")
struct DescriptorWatchTests {
    /// Two sockets that are connected to each other.
    private static func pair() -> (Int32, Int32) {
        var descriptors: [Int32] = [-1, -1]
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &descriptors)
        return (descriptors[0], descriptors[1])
    }

    @Test("it tells as often as there is something to read, and no more when it has ended")
    func reads() async throws {
        try await withLoop { loop in
            let (mine, other) = Self.pair()
            let watcher = Watcher(loop)
            try await watcher.watch(mine)
            #expect(write(other, "x", 1) == 1)
            try await wait(until: "three calls") { watcher.reads.withLock { $0 } >= 3 }
            await watcher.end()
            let count = watcher.reads.withLock { $0 }
            // Another turn, in which it would be told.
            await OnLoop(loop).run { _ in }
            #expect(watcher.reads.withLock { $0 } == count)
            close(mine)
            close(other)
        }
    }

    @Test("it tells of a socket that has the number of one which was closed")
    func numberIsUsedAgain() async throws {
        try await withLoop { loop in
            let watcher = Watcher(loop)
            let (mine, other) = Self.pair()
            try await watcher.watch(mine)
            // In one turn: libevent hands its changes to the system behind it.
            let (next, writer) = try await watcher.replace(mine) {
                close(mine)
                close(other)
                return Self.pair()
            }
            #expect(next == mine)
            #expect(write(writer, "x", 1) == 1)
            try await wait(until: "a call") { watcher.reads.withLock { $0 } > 0 }
            await watcher.end()
            close(next)
            close(writer)
        }
    }

    @Test("it tells when there is room to write, as long as somebody waits for it")
    func writes() async throws {
        try await withLoop { loop in
            let (mine, other) = Self.pair()
            let watcher = Watcher(loop)
            try await watcher.watch(mine, writing: true)
            try await wait(until: "two calls") { watcher.writes.withLock { $0 } >= 2 }
            #expect(watcher.reads.withLock { $0 } == 0)
            await watcher.end()
            close(mine)
            close(other)
        }
    }
}

/// Counts what a watch tells.
private actor Watcher {
    private let loop: EventLoop
    private var watch: DescriptorWatch?
    nonisolated let reads = Locked(0)
    nonisolated let writes = Locked(0)
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(_ loop: EventLoop) { self.loop = loop }

    func watch(_ descriptor: Int32, writing: Bool = false) throws {
        let (reads, writes) = (reads, writes)
        let watch = try DescriptorWatch(
            on: loop, descriptor, onReadable: { reads.withLock { $0 += 1 } }, onWritable: { writes.withLock { $0 += 1 } })
        watch.waitsForReading = true
        watch.waitsForWriting = writing
        self.watch = watch
    }

    func replace(_ descriptor: Int32, by open: @Sendable () -> (Int32, Int32)) throws -> (Int32, Int32) {
        end()
        let pair = open()
        try watch(pair.0)
        return pair
    }

    func end() {
        watch?.end()
        watch = nil
    }
}
