import Dispatch
import Glibc

/// A signal that ends a stream which a command follows. The command then has the server end the stream's cause too, so that
/// nothing goes on there for nobody, and ends by itself: its thread alone ends the program, after all others have ended, for what
/// the program leaves behind at its end no thread may still be using.
final class Interruption: Sendable {
    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    /// Ends the stream.
    let end = StreamEnd()

    var hasBegun: Bool { end.isOver }

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

    func begin() { end() }
}
