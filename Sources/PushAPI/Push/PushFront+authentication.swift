internal import Push

extension PushFront {
    /// The key of the app that sends a request, if the loop's cache is enough to say so, which it nearly always is: without the cost of
    /// a call that may suspend. Where it is `nil`, ``authenticate(_:for:)`` says why.
    func recognise(_ request: Request, for interface: Interface?) -> AppKey? {
        do throws(Refusal) {
            return try authentication.authenticate(request.headers.credentials, for: interface, now: now()) { apps[$0] }.app.key
        } catch {
            return nil
        }
    }

    /// The key of the app that sends a request, as the loop's cache knows it; before a key or a token is refused, as the store knows it.
    /// - Parameter interface: the one that is called; `nil` for what any app may ask.
    func authenticate(_ request: Request, for interface: Interface?) async throws -> AppKey {
        let credentials = request.headers.credentials
        var asked: AppKey?
        do {
            return try authentication.authenticate(credentials, for: interface, now: now()) { key in
                asked = key
                return apps[key]
            }.app.key
        } catch {
            guard error.code == .unknownAppKey || error.code == .wrongToken, let key = asked, apps.mayAsk(about: key, at: now())
            else {
                throw error
            }
            guard let app = await appFromStore(key) else { throw error }
            do {
                return try authentication.authenticate(credentials, for: interface, now: now()) { $0 == key ? app : nil }.app.key
            } catch {
                apps.remember(refused: key, at: now())
                throw error
            }
        }
    }

    /// `nil` where the store does not know the key, or cannot be asked: then the cache's word stands.
    private func appFromStore(_ key: AppKey) async -> KnownApp? {
        let generation = apps.generation
        do {
            let app = KnownApp(try await store.app(key))
            apps.learn(app, askedAt: generation)
            return app
        } catch {
            if case .refused = error { apps.remember(refused: key, at: now()) }
            return nil
        }
    }
}
