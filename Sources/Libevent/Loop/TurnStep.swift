/// Something that is done at the end of turns, after the queued jobs. On the loop's thread only.
public final class TurnStep {
    private let body: () -> Void
    private let isPermanent: Bool
    private(set) var isRequested = false

    init(_ body: @escaping () -> Void, isPermanent: Bool) {
        self.body = body
        self.isPermanent = isPermanent
    }

    /// Has it run at the end of this turn. Where the steps of this turn have begun it is the end of the next, which follows at
    /// once.
    public func request() { isRequested = true }

    var isDue: Bool { isPermanent || isRequested }

    func run() {
        isRequested = false
        body()
    }
}
