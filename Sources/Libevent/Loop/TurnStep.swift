/// Something that is done at the end of turns, after the queued jobs. On the loop's thread only.
public final class TurnStep {
    private let body: () -> Void
    private let isPermanent: Bool
    private var isRequested = false

    init(_ body: @escaping () -> Void, isPermanent: Bool) {
        self.body = body
        self.isPermanent = isPermanent
    }

    /// Has it run at the end of this turn; asked for by the step itself, at the end of the next.
    public func request() { isRequested = true }

    var isDue: Bool { isPermanent || isRequested }

    func run() {
        isRequested = false
        body()
    }
}
