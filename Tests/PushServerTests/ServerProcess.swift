import Foundation

/// `pspd` as a process of its own, as an operator starts it. Killed with its last reference.
final class ServerProcess: Sendable {
    /// How a process ended, with all that it said.
    struct Ending: Equatable {
        var code: Int32
        var output: String
        var errors: String
    }

    private let process = Process()
    private let output: ByteReader
    private let errors: ByteReader

    /// - Parameter environment: all that the process sees, beside `PATH` and the options of the sanitizer that it was built
    ///   under.
    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        let (out, err) = (Pipe(), Pipe())
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "pspd")
        process.arguments = arguments
        var inherited = ProcessInfo.processInfo.environment.filter { $0.key.hasSuffix("SAN_OPTIONS") }
        inherited["PATH"] = "/usr/bin:/bin"
        process.environment = inherited.merging(environment) { _, given in given }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = out
        process.standardError = err
        output = ByteReader(out.fileHandleForReading)
        errors = ByteReader(err.fileHandleForReading)
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    var pid: Int32 { process.processIdentifier }

    /// The next line on standard output; `nil` when it has been closed.
    func line() async -> String? { await output.line() }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits for the end without reading what it says.
    func exitCode() async -> Int32 {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [process] in
                process.waitUntilExit()
                continuation.resume(returning: process.terminationStatus)
            }
        }
    }

    /// Waits for the end.
    func ending() async -> Ending {
        let output = await output.rest()
        let errors = await errors.rest()
        process.waitUntilExit()
        let code = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
        return Ending(code: code, output: output, errors: errors)
    }
}

/// Reads a pipe on a thread that may block.
private final class ByteReader: Sendable {
    private let handle: FileHandle
    private let queue = DispatchQueue(label: "reader")

    init(_ handle: FileHandle) { self.handle = handle }

    func line() async -> String? {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                var bytes = Data()
                while let byte = try? handle.read(upToCount: 1), let first = byte.first {
                    if first == 0x0A { return continuation.resume(returning: String(decoding: bytes, as: UTF8.self)) }
                    bytes.append(first)
                }
                continuation.resume(returning: bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self))
            }
        }
    }

    func rest() async -> String {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                let bytes = (try? handle.readToEnd()) ?? Data()
                continuation.resume(returning: String(decoding: bytes, as: UTF8.self))
            }
        }
    }
}
