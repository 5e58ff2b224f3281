import Base
import Foundation

/// A program that runs to its end.
enum Command {
    /// Runs it as PostgreSQL's user, outside of directories that this user may not see.
    /// - Returns: what it has written.
    @discardableResult
    static func run(_ words: [String]) async throws -> String {
        let process = Process()
        let output = Pipe()
        let words = PostgresInstallation.asItsUser + words
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst())
        process.currentDirectoryURL = URL(filePath: "/")
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        let ended = Ending(of: process)
        try process.run()
        let text = await withCheckedContinuation { continuation in
            // Whoever reads a pipe waits, and may not do so on a thread of tasks.
            DispatchQueue.global().async {
                let bytes = (try? output.fileHandleForReading.readToEnd()) ?? Data()
                continuation.resume(returning: String(decoding: bytes, as: UTF8.self))
            }
        }
        let status = await ended.status()
        guard status == 0 else { throw Failure(description: "\(words.joined(separator: " ")): status \(status): \(text)") }
        return text
    }
}

/// A process's end, for any number who wait for it.
final class Ending: Sendable {
    private struct State: Sendable {
        var status: Int32?
        var waiting: [CheckedContinuation<Int32, Never>] = []
    }

    private let state = Locked(State())

    /// Before the process runs.
    init(of process: Process) {
        process.terminationHandler = { [state] process in
            let status = process.terminationStatus
            let waiting = state.withLock { state in
                state.status = status
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume(returning: status) }
        }
    }

    var hasCome: Bool { state.withLock { $0.status != nil } }

    @discardableResult
    func status() async -> Int32 {
        await withCheckedContinuation { continuation in
            let status: Int32? = state.withLock { state in
                if state.status == nil { state.waiting.append(continuation) }
                return state.status
            }
            if let status { continuation.resume(returning: status) }
        }
    }
}

/// Waits until the condition holds.
public func eventually(
    _ what: String, within limit: Duration = .seconds(60), _ condition: @Sendable () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else { throw Failure(description: "never happened: \(what)") }
        try await Task.sleep(for: .milliseconds(2))
    }
}
