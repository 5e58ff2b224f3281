/// An app with what its requests are checked against, made once. Belongs to whoever keeps it, one loop.
public final class KnownApp {
    /// The app as it is stored.
    public let app: App
    private let tokens: TokenMaker
    private let mayMessage: Bool
    private let mayConfigure: Bool
    /// What was accepted last: callers use a token for as long as their clock shows the same.
    private var accepted: (timestamp: String, token: ValidationToken)?

    /// The app with nothing accepted yet.
    public init(_ app: App) {
        self.app = app
        tokens = TokenMaker(appKey: app.key, masterSecret: app.masterSecret)
        mayMessage = app.interfaces.contains(.message)
        mayConfigure = app.interfaces.contains(.configuration)
    }

    /// Whether it may call the interface; `nil` is what any app may.
    func mayUse(_ interface: Interface?) -> Bool {
        switch interface {
        case .message: mayMessage
        case .configuration: mayConfigure
        case nil: true
        }
    }

    /// Whether the token goes with the timestamp.
    func accepts(_ token: ValidationToken, at timestamp: String) -> Bool {
        if let accepted, accepted.timestamp == timestamp, accepted.token.equals(token) { return true }
        guard tokens.token(at: timestamp).equals(token) else { return false }
        accepted = (timestamp, token)
        return true
    }
}
