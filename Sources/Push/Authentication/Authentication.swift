public import Base

/// Decides whether a request comes from an app that may make it. Pure: clock and apps are handed in.
public struct Authentication: Hashable, Sendable {
    /// How far a caller's clock may be from the server's, in milliseconds: ten minutes.
    public static let defaultWindow: Int64 = 600_000

    /// How far a caller's clock may be from the server's, in milliseconds.
    public let window: Int64

    /// - Parameter window: milliseconds, either way.
    public init(window: Int64 = defaultWindow) {
        self.window = window
    }

    /// The app that calls. Of a request that is signed as a whole, whose body is still to be compared:
    /// ``RequestSignature/covers(_:)``.
    /// - Parameters:
    ///   - headers: those of the request.
    ///   - call: what is called.
    ///   - address: from where; `nil` where that is not known. Asked only where it matters.
    ///   - interface: the one that is called, or `nil` where any app may (a task's report, statistics).
    ///   - now: the server's clock, Unix milliseconds.
    ///   - app: the app of that key, if there is one.
    /// - Throws: the first that fails of 2001, 2002, 2003, 2006, 2004, 2005, 2007, 2010, 2008.
    public func authenticate(
        _ headers: CredentialHeaders, of call: SignedCall, from address: () -> IPAddress?, for interface: Interface?, now: Int64,
        app: (AppKey) -> KnownApp?
    ) throws(Refusal) -> KnownApp {
        guard !headers.appKey.isMissing else { throw Refusal(.noAppKey, field: "appkey") }
        guard !headers.timestamp.isMissing else { throw Refusal(.noTimestamp, field: "timestamp") }
        guard !headers.token.isMissing || !headers.authorization.isMissing else {
            throw Refusal(.noToken, field: "validation-token")
        }

        let timestamp = try judged(headers.timestamp, at: now)
        guard case .once(let keyText) = headers.appKey else {
            throw Refusal(.unknownAppKey, field: "appkey", .expected(.once))
        }
        guard let key = AppKey(keyText) else {
            throw Refusal(.unknownAppKey, field: "appkey", .expected(.identifier, Excerpt(keyText)))
        }
        guard let known = app(key) else { throw Refusal(.unknownAppKey, field: "appkey") }
        if headers.authorization.isMissing {
            try judgeToken(headers.token, of: known, at: timestamp)
        } else {
            try judgeSignature(headers.authorization, of: call, by: known, at: timestamp)
        }
        guard !known.app.disabled else { throw Refusal(.appDisabled, field: "appkey") }
        if !known.app.addresses.isEmpty {
            let address = address()
            guard known.mayCall(from: address) else {
                throw Refusal(.addressNotAllowed, field: "appkey", .calledFrom(address))
            }
        }
        guard known.mayUse(interface) else { throw Refusal(.interfaceNotAllowed, field: "appkey") }
        return known
    }

    /// - Throws: 2005.
    private func judgeToken(
        _ header: CredentialHeaders.Header<ValidationToken>, of known: KnownApp, at timestamp: String
    ) throws(Refusal) {
        guard case .once(let token) = header else {
            throw Refusal(.wrongToken, field: "validation-token", .expected(.once))
        }
        guard known.accepts(token, at: timestamp) else {
            // The common mistake is worth a word of its own; who sends the secret knows it already.
            throw Refusal(.wrongToken, field: "validation-token", known.isSecret(token.lowercased) ? .rawSecret : .wrongSignature)
        }
        if known.app.hmacOnly { throw Refusal(.wrongToken, field: "authorization", .signature(.required)) }
    }

    /// - Throws: 2005.
    private func judgeSignature(
        _ header: CredentialHeaders.Header<RequestSignature?>, of call: SignedCall, by known: KnownApp, at timestamp: String
    ) throws(Refusal) {
        let fault: Refusal.SignatureFault
        switch header {
        case .once(let signature?):
            if call.isChange, signature.nonce == nil {
                fault = .noNonce
            } else if known.accepts(signature, of: call, at: timestamp) {
                return
            } else {
                fault = .wrong
            }
        case .once(nil): fault = .malformed
        case .absent, .empty, .repeated: fault = .repeated
        }
        throw Refusal(.wrongToken, field: "authorization", .signature(fault))
    }

    /// The nonce of a request that was authenticated, if it changes anything: for the store, which takes it once.
    public func nonce(of headers: CredentialHeaders) -> UsedNonce? {
        guard let nonce = headers.signature?.nonce, case .once(let text) = headers.timestamp, let time = Timestamp.parse(text)
        else { return nil }
        return UsedNonce(nonce, timestamp: time, window: window)
    }

    /// The timestamp as it was sent.
    /// - Throws: 2006.
    private func judged(_ header: CredentialHeaders.Header<String>, at now: Int64) throws(Refusal) -> String {
        let fault: Refusal.TimestampFault
        switch header {
        case .once(let text):
            guard let time = Timestamp.parse(text) else {
                fault = .malformed(Excerpt(text))
                break
            }
            guard abs(time - now) > window else { return text }
            fault = .skewed(by: time - now, window: window)
        case .absent, .empty, .repeated: fault = .repeated
        }
        throw Refusal(.badTimestamp, field: "timestamp", .timestamp(fault, serverTime: now))
    }
}

/// A caller's clock.
enum Timestamp {
    /// Unix milliseconds, of exactly 10 digits (seconds) or 13 (milliseconds).
    static func parse(_ text: String) -> Int64? {
        // As bytes: to walk along a string costs more than all else here.
        var text = text
        return text.withUTF8 { digits in
            guard digits.count == 10 || digits.count == 13 else { return nil }
            var number: Int64 = 0
            for digit in digits {
                let value = digit &- UInt8(ascii: "0")
                guard value < 10 else { return nil }
                // 13 digits do not overflow.
                number = number &* 10 &+ Int64(value)
            }
            return digits.count == 10 ? number * 1000 : number
        }
    }
}
