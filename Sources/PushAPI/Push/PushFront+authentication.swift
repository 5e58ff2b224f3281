public import Base
public import Push
public import Web

extension PushFront {
    /// What a route asks of the app that calls, beside its signature.
    public enum Access: Sendable {
        /// It may use the interface.
        case app(mayUse: Interface)
        /// Nothing: what became of a push of its own, any app may ask.
        case anyApp
        /// Nor that it is an app.
        case anyone

        fileprivate var interface: Interface? {
            switch self {
            case .app(let interface): interface
            case .anyApp, .anyone: nil
            }
        }
    }

    /// Who calls.
    public enum Caller: Sendable {
        /// An app that this loop knows, which is nearly always so.
        case app(AppKey)
        /// An app that this loop would refuse, and whose key or secret the store may know better. See ``AppCache``.
        case inDoubt
        /// Nobody has asked who.
        case anyone
    }

    /// Judges the signature by the apps that this loop knows.
    public func admit(
        _ headers: RequestHeaders, to access: Access, calling call: Call, from client: () -> IPAddress?
    ) throws(Refusal) -> Caller {
        if case .anyone = access { return .anyone }
        var key: AppKey?
        do {
            return .app(try verify(headers, access, call, client, key: &key))
        } catch {
            if error.isInDoubt, isCutOff { throw Refusal(.unavailable) }
            guard let key, error.isInDoubt, apps.mayAsk(about: key, at: clocks.monotonic()) else { throw error }
            return .inDoubt
        }
    }

    /// For an app that this loop knows; whoever makes up keys gets no room.
    public func mayKeepBody(of caller: Caller) -> Bool {
        switch caller {
        case .app, .anyone: true
        case .inDoubt: false
        }
    }

    /// What the store makes of a caller in doubt. One that is right after all may send its request again.
    public func reasonForDroppingBody(of request: Request<PushFront>) async -> any Error {
        do {
            _ = try await appByHead(of: request)
            return Rejection.bodyDropped
        } catch {
            return error
        }
    }

    /// The key of the app that sends a request whose body is there; the store is asked about one that is in doubt.
    func app(calling request: Request<PushFront>) async throws(Refusal) -> AppKey {
        let key = try await appByHead(of: request)
        try request.judgeBody()
        return key
    }

    /// The same, whether or not the body is there: what it is judged by is still to be compared.
    func appByHead(of request: Request<PushFront>) async throws(Refusal) -> AppKey {
        if case .app(let key) = request.caller { return key }
        var key: AppKey?
        do {
            // The feed may have told since.
            return try verify(
                request.headers, request.route.access, request.call, { request.exchange.clientAddress }, key: &key)
        } catch {
            guard let key, error.isInDoubt, apps.countQuestion(about: key, at: clocks.monotonic()),
                let known = try await knownToStore(key)
            else {
                throw error
            }
            do {
                return try verify(request.headers, request.route.access, request.call) {
                    request.exchange.clientAddress
                } app: {
                    $0 == key ? known : nil
                }
            } catch {
                apps.remember(refused: key, at: clocks.monotonic())
                throw error
            }
        }
    }

    /// - Parameter key: set to the one that the request names.
    private func verify(
        _ headers: RequestHeaders, _ access: Access, _ call: Call, _ client: () -> IPAddress?, key: inout AppKey?
    ) throws(Refusal) -> AppKey {
        try verify(headers, access, call, client) { named in
            key = named
            return apps[named]
        }
    }

    private func verify(
        _ headers: RequestHeaders, _ access: Access, _ call: Call, _ client: () -> IPAddress?, app: (AppKey) -> KnownApp?
    ) throws(Refusal) -> AppKey {
        let now = clocks.callers()
        let known = try authentication.authenticate(
            headers.credentials,
            of: SignedCall(method: call.method.name, target: call.target, isChange: call.method == .post),
            from: client, for: access.interface, now: now, app: app)
        if let use = known.firstUse(at: now) { store.secretUsed(use.secret, by: known.app.key, on: use.day) }
        return known.app.key
    }

    /// `nil` where the store does not know the key.
    /// - Throws: 2302 where it cannot be asked, and other nodes may have made such an app. Where there are none, what the cache
    ///   says counts.
    private func knownToStore(_ key: AppKey) async throws(Refusal) -> KnownApp? {
        let generation = apps.generation
        do {
            let app = KnownApp(try await store.app(key))
            apps.learn(app, askedAt: generation)
            return app
        } catch {
            guard case .refused = error else {
                if !store.lease.isUnlimited { throw Refusal(.unavailable) }
                return nil
            }
            apps.remember(refused: key, at: clocks.monotonic())
            return nil
        }
    }
}

extension Request where Service == PushFront {
    /// The body is the one that was signed, where a signature tells which that is.
    /// - Throws: 2005.
    func judgeBody() throws(Refusal) {
        guard let signature = headers.credentials.signature, !signature.covers(body) else { return }
        throw Refusal(.wrongToken, field: "authorization", .signature(.otherBody))
    }
}

extension Refusal {
    /// Whether the store may know better: another node may have made the app, or changed its secret, a moment ago.
    fileprivate var isInDoubt: Bool { code == .unknownAppKey || code == .wrongToken }
}
