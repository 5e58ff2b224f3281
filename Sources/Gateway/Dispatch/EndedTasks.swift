internal import Push

/// Tasks that ended while a page of the log was being read: the page may hold their rows, and they must not be sent.
///
/// An end is remembered until every page that was asked for before it has come. Two generations do that without a list of
/// pages: a page belongs to the generation in which it was asked for, and an end outlives its own generation's pages.
struct EndedTasks {
    private var current: Set<TaskID> = []
    private var previous: Set<TaskID> = []
    private var outstandingCurrent = 0
    private var outstandingPrevious = 0
    private var generation: UInt32 = 0

    /// A page is asked for.
    /// - Returns: its generation, for ``finish(_:)``.
    mutating func begin() -> UInt32 {
        outstandingCurrent += 1
        return generation
    }

    /// A page has come and been used, or will not come.
    mutating func finish(_ generation: UInt32) {
        if generation == self.generation { outstandingCurrent -= 1 } else { outstandingPrevious -= 1 }
        guard outstandingPrevious == 0 else { return }
        // All pages of the previous generation have come, so its ends are no longer needed; the current one becomes the previous.
        previous = current
        current = []
        outstandingPrevious = outstandingCurrent
        outstandingCurrent = 0
        self.generation &+= 1
        if outstandingPrevious == 0 { previous = [] }
    }

    mutating func insert(_ task: TaskID) {
        guard outstandingCurrent + outstandingPrevious > 0 else { return }
        current.insert(task)
    }

    func contains(_ task: TaskID) -> Bool {
        current.contains(task) || previous.contains(task)
    }

    /// How many are remembered.
    var count: Int { current.count + previous.count }
}
