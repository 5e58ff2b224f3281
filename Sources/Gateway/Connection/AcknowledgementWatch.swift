internal import Libevent
internal import Push

/// Looks after the sessions that have a message without PUBACK, each at its own time.
///
/// A session takes a place with its first message and leaves it when nothing is unacknowledged at that time: an idle session has
/// none, and a busy one is looked at once in a time limit.
final class AcknowledgementWatch {
    private struct Watched {
        let connection: Int
        let session: SessionID
    }

    private var places: [Watched?] = []
    private var free: [Int] = []
    private var wheel: DeadlineWheel?
    private let timeout: Duration

    /// - Parameter judge: called when a session is to be looked at, with the number of its connection, which may have ended by
    ///   then. Returns when it is to be looked at again; `nil`: it gives its place back.
    init(
        on loop: EventLoop, timeout: Duration, _ judge: @escaping (_ connection: Int, SessionID) -> Duration?
    ) throws(LibeventError) {
        self.timeout = timeout
        let resolution = min(max(timeout / 16, .milliseconds(10)), .seconds(1))
        wheel = try DeadlineWheel(on: loop, resolution: resolution) { [unowned self] place in visit(place, judge) }
    }

    /// How many places are taken.
    var count: Int { places.count - free.count }

    /// Begins to look after a session.
    func begin(_ session: Session) {
        let watched = Watched(connection: Int(session.connectionSlot), session: session.id)
        let place = free.popLast() ?? places.count
        if place == places.count { places.append(watched) } else { places[place] = watched }
        session.isWatched = true
        wheel?.set(place, after: timeout)
    }

    private func visit(_ place: Int, _ judge: (Int, SessionID) -> Duration?) {
        guard let watched = places[place] else { return }
        if let delay = judge(watched.connection, watched.session) {
            wheel?.set(place, after: delay)
        } else {
            places[place] = nil
            free.append(place)
        }
    }
}
