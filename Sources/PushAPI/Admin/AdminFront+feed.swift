internal import Libevent
public import Push
internal import Web

/// What the front learns of operators from the store's feed; and the streams that end with what allowed them.
extension AdminFront {
    /// Takes the operators as of the snapshot at which the feed began. Call it before anything is served; what ``apply(_:)`` was
    /// told meanwhile is newer and stays.
    public func seed(_ snapshot: DirectorySnapshot) { operators.seed(with: snapshot) }

    /// Keeps the operators true. On the loop, in the feed's order.
    public func apply(_ event: FeedEvent) {
        var isChanged = false
        switch event {
        case .entries(_, _, let entries):
            for entry in entries where operators.apply(entry) { isChanged = true }
        case .gap(_, _, let snapshot):
            operators.replace(with: snapshot)
            isChanged = true
        }
        if isChanged { endForbiddenStreams() }
    }

    /// Whether whoever opened a stream may still have it.
    func mayFollow(_ follower: Follower) -> Bool {
        switch follower.caller {
        case .anyone: return false
        case .installation: return true
        case .session(let key, _, _):
            guard let holder = operators.holder(of: key, at: store.clock.now) else { return false }
            do {
                try follower.access.require(of: holder.authority)
                return true
            } catch {
                return false
            }
        }
    }

    /// Ends the streams of those whose session has ended, or whose role or scope does not allow them any more.
    func endForbiddenStreams() {
        for (number, follower) in followers where !mayFollow(follower) { end(number) }
    }

    /// What ends a stream when the caller's session does.
    func expiry(of caller: Caller, following number: Int) throws -> Timer? {
        guard case .session(let key, _, _) = caller, let session = operators.session(key) else { return nil }
        return try Timer(on: loop, after: .milliseconds(max(1, session.expires - store.clock.now))) { [unowned self] in
            end(number)
        }
    }

    /// Ends a stream.
    func end(_ number: Int) {
        guard let follower = followers.removeValue(forKey: number) else { return }
        follower.leave()
        follower.stream.end()
    }
}

/// Somebody who follows a trace.
struct Follower {
    let stream: EventStream
    let caller: AdminFront.Caller
    let access: AdminFront.Access
    /// Ends the stream with the session; `nil` where none ends.
    let expiry: Timer?
    /// Has nothing more told.
    let leave: () -> Void
}
