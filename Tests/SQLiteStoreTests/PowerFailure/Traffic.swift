import Base
import Push
import StoreContract

/// Pushes, deliveries, receipts and changes of the directory, all at once, until somebody ends it. The tasks are bounded, so that
/// what it leaves is soon compared; then pushes are repeats, and the rest goes on.
struct Traffic: Sendable {
    static let devices = (0..<6).map { "d\($0)" }
    /// Pushes of each of the four callers.
    let pushes: Int
    let port: any StorePort
    let told: Locked<Told>
    private let isOver = Locked(false)

    init(_ port: any StorePort, _ told: Locked<Told>, pushes: Int) {
        self.port = port
        self.told = told
        self.pushes = pushes
    }

    /// Goes on until `end` returns.
    func run(until end: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<4 { group.addTask { try await push(caller) } }
            group.addTask { try await register() }
            group.addTask { try await receive() }
            let result: Result<Void, any Error>
            do { result = .success(try await end()) } catch { result = .failure(error) }
            isOver.withLock { $0 = true }
            try await group.waitForAll()
            try result.get()
        }
    }

    private var goesOn: Bool { isOver.withLock { !$0 } }

    private func push(_ caller: Int) async throws {
        var number = 0
        while goesOn {
            number = number % pushes + 1
            let target: PushRequest.Target = number % 3 == 0 ? .device("d\(number % 6)") : .organisation("root")
            let accepted = await port.append(
                .message(target, tag: "t\(number % 3)", bizNo: "\(caller)-\(number)"))
            guard let task = accepted.storedTask else { continue }
            told.withLock { _ = $0.stored.insert(task) }
            if number % 10 == 0 {
                try await port.recall(task)
                told.withLock { _ = $0.cancelled.insert(task) }
            }
        }
    }

    private func register() async throws {
        var number = 0
        while goesOn {
            number += 1
            // A few dozen, which then become test devices and back: each task of the organisation is compared device by device.
            let token = "x\(number % 48)"
            _ = try await port.apply(.device(token, in: "root", test: number / 48 % 2 == 1))
            told.withLock { _ = $0.registered.insert(token) }
        }
    }

    private func receive() async throws {
        var number = 0
        while goesOn {
            let device = Self.devices[number % Self.devices.count]
            number += 1
            let session = try await port.connect(device)
            let rows = Array(try await session.read().prefix(10))
            session.disconnect(settling: rows)
            let now = ContinuousClock.now
            told.withLock { told in for row in rows { told.settled.append((device, row.task, now)) } }
            guard let task = rows.first?.task else { continue }
            let delivered = try await port.counts(task).delivered
            told.withLock { $0.delivered[task] = max($0.delivered[task] ?? 0, delivered) }
            guard try await session.tell(task, .opened) == .counted else { continue }
            told.withLock { _ = $0.opened[device, default: []].insert(task) }
        }
    }
}
