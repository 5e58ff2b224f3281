internal import Push

/// The apps as one loop knows them: seeded from the store's snapshot, kept true by the feed. So a push is authenticated without
/// asking anyone.
///
/// Another node may be ahead of this loop's feed by a moment. So before a caller is refused by what the cache says, the store is
/// asked once more, within a budget: whoever sends unknown keys must not turn each of them into a query. Times are
/// monotonic, in milliseconds.
struct AppCache {
    /// What the store has just been asked about and did not change is not asked about again for so long, in milliseconds.
    static let refusalLifetime: Int64 = 500
    /// How many questions a loop may put to the store in a second, over all keys.
    static let questionsASecond = 100
    /// How many refused keys are remembered: they are the callers' to choose.
    private static let rememberedKeys = 4096

    private var apps: [AppKey: KnownApp] = [:]
    /// What the feed told before the snapshot at which it began was handed in: newer than that; `nil` from then on.
    private var early: [AppKey: App?]? = [:]
    /// Counts the feed's changes, so that an answer that was read before one of them does not overwrite it.
    private(set) var generation: UInt64 = 0
    private var refusedAt: [AppKey: Int64] = [:]
    private var questions = 0
    private var countedFrom: Int64?

    /// The app of that key, as far as this loop knows.
    subscript(key: AppKey) -> KnownApp? { apps[key] }

    /// Begins with the snapshot at which the feed began; what the feed has told since is newer.
    mutating func seed(with all: [App]) {
        guard let early else { return }
        replace(with: all)
        for (key, app) in early { apps[key] = app.map(KnownApp.init) }
    }

    /// Begins anew with everything that the store has.
    mutating func replace(with all: [App]) {
        apps = Dictionary(all.map { ($0.key, KnownApp($0)) }) { _, newest in newest }
        early = nil
        refusedAt.removeAll()
        generation += 1
    }

    /// A change that the feed tells; `nil` means removed.
    mutating func apply(_ app: App?, for key: AppKey) {
        apps[key] = app.map(KnownApp.init)
        early?.updateValue(app, forKey: key)
        refusedAt[key] = nil
        generation += 1
    }

    /// Whether the store may be asked about that key now.
    func mayAsk(about key: AppKey, at now: Int64) -> Bool {
        if let asked = refusedAt[key], now - asked < Self.refusalLifetime { return false }
        return questions < Self.questionsASecond || isNewSecond(at: now)
    }

    /// Counts a question about that key.
    /// - Returns: whether it may be put.
    mutating func countQuestion(about key: AppKey, at now: Int64) -> Bool {
        guard mayAsk(about: key, at: now) else { return false }
        if isNewSecond(at: now) {
            countedFrom = now
            questions = 0
        }
        questions += 1
        return true
    }

    private func isNewSecond(at now: Int64) -> Bool { countedFrom.map { now - $0 >= 1000 } ?? true }

    /// Takes the store's answer to a question of that `generation`, unless the feed has told something since.
    mutating func learn(_ app: KnownApp, askedAt generation: UInt64) {
        if generation == self.generation { apps[app.app.key] = app }
    }

    /// The store was asked about the key, and the caller was refused nevertheless.
    mutating func remember(refused key: AppKey, at now: Int64) {
        if refusedAt.count >= Self.rememberedKeys { refusedAt.removeAll(keepingCapacity: true) }
        refusedAt[key] = now
    }
}
