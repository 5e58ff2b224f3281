internal import Base
internal import Crypto

/// An app with what its requests are checked against, made once. Belongs to whoever keeps it, one loop.
public final class KnownApp {
    /// The app as it is stored.
    public let app: App
    private let tokens: TokenMaker
    /// By the secret that it had before, while that is still taken.
    private let formerTokens: TokenMaker?
    private let mayMessage: Bool
    private let mayConfigure: Bool
    /// What was accepted last: callers use a token for as long as their clock shows the same.
    private var accepted: (timestamp: String, token: ValidationToken)?
    /// With which of its secrets the last request was signed, and on which day each was used last, as far as this loop has told.
    private var lastUsed = AppSecret.master
    private var days: SecretUse

    /// The app with nothing accepted yet.
    public init(_ app: App) {
        self.app = app
        tokens = TokenMaker(appKey: app.key, masterSecret: app.masterSecret)
        formerTokens = app.formerSecret.map { TokenMaker(appKey: app.key, masterSecret: $0) }
        mayMessage = app.interfaces.contains(.message)
        mayConfigure = app.interfaces.contains(.configuration)
        days = app.secretUse
    }

    /// Whether it may call the interface; `nil` is what any app may.
    func mayUse(_ interface: Interface?) -> Bool {
        switch interface {
        case .message: mayMessage
        case .configuration: mayConfigure
        case nil: true
        }
    }

    /// Whether that is one of the addresses from which it may call. Where it is not known from where, it may not.
    func mayCall(from address: IPAddress?) -> Bool {
        address.map { app.addresses.contains($0) } ?? false
    }

    /// Whether the token goes with the timestamp.
    func accepts(_ token: ValidationToken, at timestamp: String) -> Bool {
        if let accepted, accepted.timestamp == timestamp, accepted.token.equals(token) { return true }
        if tokens.token(at: timestamp).equals(token) {
            lastUsed = .master
        } else if let formerTokens, formerTokens.token(at: timestamp).equals(token) {
            lastUsed = .former
        } else {
            return false
        }
        accepted = (timestamp, token)
        return true
    }

    /// Whether the signature is that of the request.
    func accepts(_ signature: RequestSignature, of call: SignedCall, at timestamp: String) -> Bool {
        if signature.isMade(of: call, appKey: app.key, timestamp: timestamp, with: app.masterSecret) {
            lastUsed = .master
        } else if let former = app.formerSecret,
            signature.isMade(of: call, appKey: app.key, timestamp: timestamp, with: former)
        {
            lastUsed = .former
        } else {
            return false
        }
        // The next token is judged anew, with its own secret.
        accepted = nil
        return true
    }

    /// Whether the secret that was just used is one of the app's, sent in clear.
    func isSecret(_ text: String) -> Bool {
        for secret in [app.masterSecret, app.formerSecret].compactMap(\.self) {
            if ConstantTime.equal(text, secret.lowercased()) { return true }
        }
        return false
    }

    /// The secret with which the last request was signed, if it was its first of the day that this loop knows of.
    /// - Parameter now: Unix milliseconds.
    public func firstUse(at now: Int64) -> (secret: String, day: Int64)? {
        let day = now / UTCTime.day
        guard days.isNews(day, of: lastUsed) else { return nil }
        days[lastUsed] = day
        return (lastUsed == .former ? app.formerSecret ?? app.masterSecret : app.masterSecret, day)
    }
}
