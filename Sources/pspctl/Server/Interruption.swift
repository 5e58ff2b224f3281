import Base
import Dispatch
import Glibc

/// What a command that follows a stream does when a signal ends it: it has the server end the stream's cause too, so that nothing
/// goes on there for nobody. The command's thread alone ends the program, after all others have ended: what the program leaves
/// behind at its end, no thread may still be using.
final class Interruption: Sendable {
    private enum State: Sendable {
        case none
        case underway(Task<Void, Never>)
        /// The stream has ended by itself.
        case over
    }

    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    /// Ends the stream.
    let end = StreamEnd()
    private let state = Locked(State.none)
    private let work: @Sendable () async -> Void

    /// - Parameter work: what is to be done before the stream ends.
    init(_ work: @escaping @Sendable () async -> Void) { self.work = work }

    /// Begins with a signal from when this returns, as long as what it returns is kept. One that comes earlier ends the program,
    /// and is not lost.
    func listen() async -> [any DispatchSourceSignal] {
        // A pipe that nobody reads is told where it is written.
        signal(SIGPIPE, SIG_IGN)
        var sources: [any DispatchSourceSignal] = []
        for number in Self.signals {
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler {
                self.begin()
                // A further one waits for no server. Not at once: `timeout` sends the same one twice.
                DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(1)) {
                    for number in Self.signals { signal(number, SIG_DFL) }
                }
            }
            // From then on the signal has the handler of the source, which nothing else may take the place of.
            await withCheckedContinuation { continuation in
                source.setRegistrationHandler { continuation.resume() }
                source.resume()
            }
            sources.append(source)
        }
        return sources
    }

    /// Begins, once.
    func begin() {
        state.withLock { state in
            guard case .none = state else { return }
            state = .underway(
                Task { [work, end] in
                    await work()
                    end()
                })
        }
    }

    /// Waits until what was begun is done. The stream has ended; nothing begins after this.
    /// - Returns: whether it was interrupted.
    func isOver() async -> Bool {
        let task = state.withLock { state -> Task<Void, Never>? in
            if case .underway(let task) = state { return task }
            state = .over
            return nil
        }
        await task?.value
        return task != nil
    }
}
