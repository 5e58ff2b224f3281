public import Push
public import Web

/// A front of the REST interfaces: its errors are the catalogue's, in the envelope; what it is asked, the store answers.
public protocol APIFront: Front where Headers == RequestHeaders {
    /// The loop's port of the store: its answers come back to this loop.
    var store: any StorePort { get }
}

extension APIFront {
    /// The error's row of the catalogue, in the caller's language.
    public func reply(to error: any Error, headers: RequestHeaders) -> Reply { .failure(error, in: headers.language) }
}

extension Refusal {
    /// The row of the catalogue for what a request is refused for before its route sees it.
    init(for rejection: Rejection) {
        switch rejection {
        case .noSuchAddress: self.init(.noSuchAddress)
        case .methodNotAllowed: self.init(.methodNotAllowed)
        case .headTooLarge, .bodyTooLarge: self.init(.requestTooLarge)
        case .framing(let framing): self.init(.invalidValue, field: framing.header)
        case .unexpectedBody: self.init(.invalidValue)
        case .bodyDropped: self.init(.unavailable)
        case .unauthorized: self.init(.wrongToken, field: "Authorization")
        case .unknownParameter(let name): self.init(.unsupportedField, field: name)
        case .missingParameter(let name): self.init(.missingField, field: name)
        case .invalidParameter(let name): self.init(.invalidValue, field: name)
        }
    }
}
