internal import Base

/// Which query parameters a route knows. A class, for the reason that ``Route`` is one.
public final class QueryRule: Sendable {
    /// Those that must be there.
    public let required: [String]
    /// Those that may be there.
    public let optional: [String]

    /// A rule that knows these names and no others.
    public init(required: [String] = [], optional: [String] = []) {
        self.required = required
        self.optional = optional
    }

    /// No parameter at all.
    public static let none = QueryRule()

    /// All that it knows.
    var names: [String] { required + optional }
}

/// The query parameters of a request, checked against what its route knows.
public struct Query: Sendable {
    private var values: [(name: ExactText, value: String)] = []

    /// Takes the text after `?` apart. An empty parameter is as one that is missing.
    /// - Throws: in this order ``Rejection/unknownParameter(_:known:)``, ``Rejection/missingParameter(_:)``,
    ///   ``Rejection/invalidParameter(_:_:)`` on one that is given twice or cannot be decoded.
    public init(parsing text: String?, rule: QueryRule) throws(Rejection) {
        var fault: Rejection?
        for piece in (text ?? "").utf8.split(separator: UInt8(ascii: "&")) {
            let sent = piece.prefix { $0 != UInt8(ascii: "=") }
            guard let name = PercentEncoding.decode(Substring(sent), plusIsSpace: true).map({ ExactText($0) }),
                rule.names.contains(where: { ExactText($0) == name })
            else {
                throw .unknownParameter(String(decoding: sent, as: UTF8.self), known: rule.names)
            }
            let value = PercentEncoding.decode(Substring(piece.dropFirst(sent.count + 1)), plusIsSpace: true)
            if value == nil { fault = fault ?? .invalidParameter(name.text, .undecodable) }
            if values.contains(where: { $0.name == name }) { fault = fault ?? .invalidParameter(name.text, .repeated) }
            values.append((name, value ?? "?"))
        }
        for name in rule.required where self[name] == nil { throw .missingParameter(name) }
        if let fault { throw fault }
    }

    /// The decoded value; `nil` where it is missing or empty.
    public subscript(name: String) -> String? {
        guard let value = values.first(where: { $0.name == ExactText(name) })?.value, !value.isEmpty else { return nil }
        return value
    }

    /// A parameter that the route requires.
    /// - Throws: ``Rejection/missingParameter(_:)``; in truth the initialiser has, so that a caller hears of it before anything
    ///   else.
    public func required(_ name: String) throws(Rejection) -> String {
        guard let value = self[name] else { throw .missingParameter(name) }
        return value
    }

    /// A number in that range, written in at most 15 digits and nothing but digits.
    /// - Throws: ``Rejection/invalidParameter(_:_:)``.
    public func number(
        _ name: String, in range: ClosedRange<Int64> = 0...999_999_999_999_999
    ) throws(Rejection) -> Int64? {
        guard let text = self[name] else { return nil }
        let areDigits = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard text.utf8.count <= 15, areDigits, let number = Int64(text), range.contains(number) else {
            throw .invalidParameter(name, .notANumber(text, range))
        }
        return number
    }

    /// `true` or `false`, and nothing else.
    /// - Throws: ``Rejection/invalidParameter(_:_:)``.
    public func flag(_ name: String) throws(Rejection) -> Bool? {
        guard let text = self[name] else { return nil }
        guard text == "true" || text == "false" else { throw .invalidParameter(name, .notAFlag(text)) }
        return text == "true"
    }
}
