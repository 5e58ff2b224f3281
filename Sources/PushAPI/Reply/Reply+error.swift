internal import JSON
internal import Push
internal import Web

extension Reply {
    /// `{"ret":"FAIL","data":{"error_code":…,"error_msg":…,"field":…}}`.
    /// - Parameter details: writes further members of `data`.
    static func refusal(
        _ refusal: Refusal, for headers: RequestHeaders, details: (inout JSONWriter) -> Void = { _ in }
    ) -> Reply {
        var json = JSONWriter()
        json.object { json in
            json.member("ret", "FAIL")
            json.key("data")
            json.object { json in
                json.members(of: refusal, in: headers.language)
                if case .timestamp(_, let now) = refusal.detail { json.member("server_time", now) }
                details(&json)
            }
        }
        var reply = Reply(status: refusal.code.status, contentType: .json, body: json.bytes)
        reply.note = .refusal(code: refusal.code.rawValue, caller: headers.claimedApp)
        if case .overQuota(let bound, let delay) = refusal.detail {
            reply.retry(after: .milliseconds(delay))
            reply.tell(bound, restoredIn: delay)
        } else if case .failedLogins(let delay) = refusal.detail {
            reply.retry(after: delay)
        } else if refusal.code == .rateLimited || refusal.code == .unavailable {
            reply.retry(after: .seconds(1))
        }
        return reply
    }

    /// The answer to anything that a handler throws.
    static func failure(
        _ error: any Error, for headers: RequestHeaders, details: (inout JSONWriter) -> Void = { _ in }
    ) -> Reply {
        switch error {
        case let error as Refusal: return .refusal(error, for: headers, details: details)
        case let error as Rejection: return .refusal(Refusal(for: error), for: headers, details: details)
        case StoreError.refused(let error): return .refusal(error, for: headers, details: details)
        case StoreError.unavailable(let delay):
            var reply = Reply.refusal(Refusal(.unavailable), for: headers, details: details)
            reply.retry(after: delay)
            reply.note = .incident(
                Incident(code: ErrorCode.unavailable.rawValue, cause: "the store takes no changes now", isTransient: true))
            return reply
        default:
            var reply = Reply.refusal(Refusal(.internalError), for: headers, details: details)
            let cause = error is StoreError ? "the store does not know whether it was done" : "\(error)"
            reply.note = .incident(Incident(code: ErrorCode.internalError.rawValue, cause: cause, isTransient: false))
            return reply
        }
    }

    /// What the bound is and that nothing is left of it (draft-ietf-httpapi-ratelimit-headers-10, §3 and §4).
    /// - Parameter delay: milliseconds.
    private mutating func tell(_ bound: PushQuota.Bound, restoredIn delay: Int64) {
        let name = bound.seconds == 1 ? "second" : "day"
        headers.append(("RateLimit-Policy", "\"\(name)\";q=\(bound.count);w=\(bound.seconds)"))
        headers.append(("RateLimit", "\"\(name)\";r=0;t=\((delay + 999) / 1_000)"))
    }

    /// Sets Retry-After (RFC 9110 §10.2.3): whole seconds, at least one.
    mutating func retry(after delay: Duration) {
        let (seconds, attoseconds) = delay.components
        headers.removeAll { $0.name == "Retry-After" }
        headers.append(("Retry-After", String(max(1, seconds + (attoseconds > 0 ? 1 : 0)))))
    }
}

extension JSONWriter {
    /// Writes the members that say why something was refused.
    mutating func members(of refusal: Refusal, in language: Language) {
        member("error_code", refusal.code.rawValue)
        member("error_msg", refusal.message(in: language))
        member("field", ifPresent: refusal.field)
    }
}
