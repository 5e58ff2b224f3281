import Push
import Testing

@testable import PushAPI

@Suite("The apps that a loop knows")
struct AppCacheTests {
    static let late = App(
        key: AppKey(unchecked: "late"), name: "Late", masterSecret: "s", interfaces: [.message], scope: nil, disabled: false)

    func tell(_ served: Served, _ entries: [Entry]) async {
        await served.push.apply(.entries(Lane(index: 0), upTo: Position(raw: 1), entries))
    }

    @Test("the feed keeps them true: new, changed and removed apps")
    func feed() async throws {
        try await Served.with { served in
            await tell(served, [.app(Self.late.key, Self.late)])
            expectSuccess(try served.send(.push(by: Self.late)))
            var disabled = Self.late
            disabled.disabled = true
            await tell(served, [.app(Self.late.key, disabled)])
            expect(try served.send(.push(by: Self.late)), 2007, status: 403, field: "appkey")
            await tell(served, [.app(Self.late.key, nil)])
            expect(try served.send(.push(by: Self.late)), 2004, status: 401, field: "appkey")
            await served.push.apply(
                .gap(
                    Lane(index: 0), now: .start,
                    DirectorySnapshot(lane: Lane(index: 0), position: .start, apps: [Self.late], organisations: [])))
            served.clock.set(noon + 1000)
            expectSuccess(try served.send(.push(by: Self.late)))
            expect(try served.send(.push()), 2004, status: 401, field: "appkey")
        }
    }

    @Test("what the feed told before the snapshot was handed in is newer than the snapshot")
    func earlyFeed() {
        var cache = AppCache()
        cache.apply(Self.late, for: Self.late.key)
        cache.apply(nil, for: Served.app.key)
        cache.seed(with: [Served.app, Served.messageApp])
        #expect(cache[Self.late.key]?.app == Self.late)
        #expect(cache[Served.app.key]?.app == nil)
        #expect(cache[Served.messageApp.key]?.app == Served.messageApp)
    }

    @Test("an app that another node has just made is asked of the store once, then known")
    func askedOnce() async throws {
        var script = FakeStore.Script()
        script.app = { key throws(StoreError) in
            guard key == Self.late.key else { throw .refused(Refusal(.noSuchApp)) }
            return Self.late
        }
        try await Served.with(script) { served in
            expectSuccess(try served.send(.push(by: Self.late)))
            expectSuccess(try served.send(.push(by: Self.late)))
            #expect(served.store.asked.apps == [Self.late.key])
        }
    }

    @Test("a secret that another node has just changed is asked of the store")
    func newSecret() async throws {
        var changed = Served.app
        changed.masterSecret = "new"
        var script = FakeStore.Script()
        let answer = changed
        script.app = { _ throws(StoreError) in answer }
        try await Served.with(script) { served in
            expectSuccess(try served.send(.push(by: changed)))
            expect(try served.send(.push(by: Served.app)), 2005, status: 401, field: "validation-token")
        }
    }

    @Test("an unknown key is not asked about again at once, and later it is")
    func unknownKey() async throws {
        try await Served.with { served in
            let call = Call.push().replacing("appkey", "nobody")
            for _ in 0..<5 { expect(try served.send(call), 2004, status: 401, field: "appkey") }
            #expect(served.store.asked.apps.count == 1)
            served.clock.set(noon + AppCache.refusalLifetime)
            expect(try served.send(call), 2004, status: 401, field: "appkey")
            #expect(served.store.asked.apps.count == 2)
        }
    }

    @Test("whoever makes up keys does not turn each of them into a question to the store")
    func budget() {
        var cache = AppCache()
        let keys = (0..<1000).map { AppKey(unchecked: "k\($0)") }
        let allowed = keys.filter { cache.countQuestion(about: $0, at: noon) }
        #expect(allowed.count == AppCache.questionsASecond)
        let nextSecond = cache.countQuestion(about: keys[0], at: noon + 1000)
        #expect(nextSecond)
    }

    @Test("an answer that is older than what the feed has told does not overwrite it")
    func staleAnswer() {
        var cache = AppCache()
        let generation = cache.generation
        cache.apply(nil, for: Self.late.key)
        cache.learn(KnownApp(Self.late), askedAt: generation)
        #expect(cache[Self.late.key]?.app == nil)
    }

    @Test("a store that cannot be asked leaves the cache's word")
    func storeAway() async throws {
        var script = FakeStore.Script()
        script.app = { _ throws(StoreError) in throw .unavailable(retryAfter: .seconds(1)) }
        try await Served.with(script) { served in
            expect(try served.send(.push(by: Self.late)), 2004, status: 401, field: "appkey")
        }
    }
}
