internal import Base
internal import Push
internal import StoreCore

/// Keeps store time, and watches the wall clock beside it. Writer only.
///
/// The wall clock jumps in both directions. Backwards, and ahead for a moment, that is a step: noted, so that what people see
/// stays right, and otherwise nothing. Only when the wall clock has stood ahead for a while, or an operator says that it is
/// right, time has passed that no clock of this machine has seen, and store time goes forward to it. See ``ClockRules``.
final class Timekeeper {
    private let clocks: SystemClocks
    private let table: ClockTable
    private let published: StoreClock
    private let shared: SharedStretches
    private let log: @Sendable (String) -> Void

    private var base: Int64
    private let boot: String?
    private var stretches: Stretches
    /// Store time of what is decided now: read once a transaction.
    private(set) var now: Int64 = 0
    private var wallClock: Int64 = 0
    /// How far the wall clock was ahead of store time when it was last seen to jump, in milliseconds; and since when it stands
    /// there, `nil` before it was looked at.
    private var ahead: Int64
    private var standingSince: Int64?
    /// How often the wall clock has jumped since the store was opened.
    private var steps = 0
    /// There is something that the file does not tell yet,
    private(set) var isChanged: Bool
    /// of the stretches those that begin here or later.
    private var changedFrom = Timekeeper.unchanged
    private static let unchanged = UInt64(Int64.max)
    /// The last store time that the file was told.
    private var written: Int64?
    /// Store time has gone forward, and others are not told yet: what came after that position does not age by it.
    private var leap: (concerned: UInt64, head: UInt64)?
    private var isAccepted = false
    /// When to ask next whether store time may follow.
    private var nextLook: Int64 = .min
    private var lines = StepLines()

    init(
        _ start: TimeAtStart, _ clocks: SystemClocks, _ table: ClockTable, _ published: StoreClock, _ shared: SharedStretches,
        log: @escaping @Sendable (String) -> Void
    ) {
        self.clocks = clocks
        self.table = table
        self.published = published
        self.shared = shared
        self.log = log
        base = start.base
        boot = start.boot
        stretches = start.stretches
        ahead = start.stretches.last.offset
        isChanged = start.isChanged
    }

    /// By how much later than it is stored people see what is stored now, in milliseconds: as far as the wall clock is ahead of
    /// store time, or was when it was last noted.
    var offset: Int64 { stretches.last.offset }

    /// How far the wall clock is ahead of store time, whether that is noted or not: by it a caller's time of day is converted.
    var wallOffset: Int64 { ahead }

    /// Whether the last step is not noted yet: there have been too many.
    private var isUnnoted: Bool { (ahead - offset).magnitude > ClockRules.tolerance.magnitude }

    /// The wall clock is ahead, and store time may have to follow.
    var isAhead: Bool { offset > ClockRules.tolerance && !isUnnoted }

    /// Store time is to go forward as soon as possible.
    var isDue: Bool { isAccepted && isAhead }

    // MARK: Reading

    /// Reads the clocks. Before a transaction: from here on it has one time.
    /// - Parameter head: the newest position, which is committed.
    func read(after head: UInt64) {
        now = (clocks.boot() + base) / 1_000
        wallClock = clocks.wall() / 1_000
        // How long it had stood before the start nobody has seen.
        if standingSince == nil { standingSince = now }
        if isStep { step() }
        if isUnnoted { note(after: head) }
        if isAhead { mayFollow(after: head) } else if !isUnnoted { isAccepted = false }
    }

    private var isStep: Bool { (wallClock - now - ahead).magnitude > ClockRules.tolerance.magnitude }

    private func step() {
        measure()
        guard isStep else { return }
        let before = ahead
        ahead = wallClock - now
        standingSince = now
        steps += 1
        nextLook = .min
        if let line = lines.line(by: ahead - before, ahead: ahead, at: now) { log(line) }
        // Back at what is noted.
        if !isUnnoted { ahead = offset }
    }

    private func note(after head: UInt64) {
        guard stretches.mayStep(to: ahead, at: now) else { return }
        stretches.step(to: ahead, after: head, at: now)
        ahead = offset
        tell(from: head)
    }

    /// Stretches have changed, from that position on: readers see it at once, the file by the next transaction.
    private func tell(from position: UInt64) {
        shared.set(stretches)
        changedFrom = min(changedFrom, position)
        isChanged = true
    }

    /// Reads both clocks as at one moment: a thread may stand still between two readings.
    /// - Returns: their difference, in microseconds.
    @discardableResult
    private func measure() -> Int64 {
        var difference: Int64 = 0
        for _ in 0..<8 {
            let before = clocks.boot()
            let wall = clocks.wall()
            let after = clocks.boot()
            (now, wallClock, difference) = ((after + base) / 1_000, wall / 1_000, wall - after)
            if after - before < 100_000 { break }
        }
        return difference
    }

    private func mayFollow(after head: UInt64) {
        guard now >= nextLook || isAccepted else { return }
        nextLook = now + 1_000
        guard isAccepted || wait == nil else { return }
        isAccepted = false
        let target = measure()
        let leap = (target - base) / 1_000
        guard leap > 0 else { return }
        let concerned = stretches.goForward(by: leap, after: head, at: now)
        tell(from: concerned)
        base = target
        now += leap
        ahead = offset
        self.leap = (self.leap.map { min($0.concerned, concerned) } ?? concerned, head)
        log("store time has gone forward to the wall clock, by \(StepLines.seconds(leap)) s")
    }

    /// How long the wall clock has stood where it is, as far as this has seen.
    private var standing: Int64 { now - (standingSince ?? now) }

    private var wait: ClockState.Wait? {
        ClockRules.wait(ahead: ahead, duration: standing, isSynchronised: clocks.isSynchronised())
    }

    // MARK: What people see

    /// The time of day at which something is decided, as all that is seen of it tells it.
    var timeOfDay: Int64 { now + ahead }

    /// How things stand.
    var state: ClockState {
        let ahead = ClockState.Ahead(duration: standing, waitsFor: wait ?? .time(0))
        return ClockState(
            storeTime: now, wallClock: wallClock, isSynchronised: clocks.isSynchronised(), steps: steps,
            ahead: isAhead ? ahead : nil)
    }

    /// An operator says that the wall clock is right. Store time follows at the next transaction.
    func accept() { isAccepted = true }

    // MARK: Writing

    /// The store ends: the file is told until when.
    func end() { isChanged = true }

    /// The steps before that position concern no row any more.
    func forgetSteps(before seq: UInt64) {
        if stretches.forget(before: seq) { tell(from: Self.unchanged) }
    }

    /// Writes what has changed. Inside a transaction.
    /// - Parameter besides: something else is written, so that the time may be told by the way.
    func write(besides: Bool) throws(SQLiteError) {
        if isChanged {
            try table.write(ClockTable.Record(base: base, boot: boot, time: now))
            try table.write(stretches, from: changedFrom)
            written = now
        } else if besides && written.map({ now - $0 >= 1_000 }) ?? true {
            try table.write(time: now)
            written = now
        }
    }

    /// What was written is committed. Store time goes forward for everybody when all loops read anew what does not age by it.
    func committed(_ outbox: Outbox) {
        isChanged = false
        changedFrom = Self.unchanged
        guard let leap else { return }
        self.leap = nil
        let (published, base) = (published, base)
        if leap.concerned < leap.head {
            outbox.leaveGap { published.goForward(toBase: base) }
        } else {
            published.goForward(toBase: base)
        }
    }

    /// The transaction failed; what it would have told the file is still to be told.
    func rolledBack() {
        written = nil
    }
}
