internal import Libevent
internal import Push
internal import Web

extension Refusal {
    /// The row of the catalogue for what a request is refused for before its route sees it.
    init(for rejection: Rejection) {
        switch rejection {
        case .noSuchAddress: self.init(.noSuchAddress)
        case .methodNotAllowed(let methods): self.init(.methodNotAllowed, .methods(methods.map(\.name)))
        case .headTooLarge(let limit): self.init(.requestTooLarge, .limit(limit, .head))
        case .bodyTooLarge(let limit, let announced): self.init(.requestTooLarge, .limit(limit, .body, came: announced))
        case .framing(let framing):
            self.init(.invalidValue, field: framing.header, framing.rule.map { .expected(.framing($0)) })
        case .unexpectedBody: self.init(.invalidValue, .expected(.framing(.noBody)))
        case .noRoom, .bodyDropped: self.init(.unavailable)
        case .unauthorized: self.init(.wrongToken, field: "Authorization", .operatorToken)
        case .unknownParameter(let name, let known): self.init(.unsupportedField, field: name, .listed(known))
        case .missingParameter(let name): self.init(.missingField, field: name, .missing([name]))
        case .invalidParameter(let name, let fault): self.init(.invalidValue, field: name, fault.detail)
        }
    }
}

extension HTTPFraming {
    /// What was broken.
    fileprivate var rule: Requirement.FramingRule? {
        switch self {
        case .ok: nil
        case .duplicateContentLength: .oneLength
        case .malformedContentLength: .lengthInDigits
        case .contentLengthWithTransferEncoding: .lengthOrChunks
        case .unsupportedTransferEncoding: .onlyChunked
        case .bodyWithBodilessMethod: .noBody
        case .malformedChunk: .chunks
        case .malformedHeader: .headerLines
        case .malformedRequestLine: .requestLine
        case .tlsHandshake: .plainHTTP
        case .unsupportedVersion: .version
        case .badHost: .host
        case .unknownExpectation: .expectation
        }
    }
}

extension Rejection.ParameterFault {
    fileprivate var detail: Refusal.Detail {
        switch self {
        case .repeated: .expected(.once)
        case .undecodable: .expected(.percentEncoding)
        case .notANumber(let value, let range): .expected(.number(range), Excerpt(value))
        case .notAFlag(let value): .expected(.boolean, Excerpt(value))
        }
    }
}
