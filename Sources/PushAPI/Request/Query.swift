internal import Base
internal import Push

/// The query parameters of a request, checked against what its route knows.
struct Query: Sendable {
    private var values: [(name: String, value: String)] = []

    /// Takes the text after `?` apart. An empty parameter is as one that is missing, as an empty header is.
    /// - Throws: in this order 2104 on a parameter that the route does not know, 2102 on a required one that is missing, 2103 on one
    ///   that is given twice or cannot be decoded.
    init(parsing text: String?, rule: QueryRule) throws(Refusal) {
        var fault: Refusal?
        for piece in (text ?? "").utf8.split(separator: UInt8(ascii: "&")) {
            let sent = piece.prefix { $0 != UInt8(ascii: "=") }
            guard let name = PercentEncoding.decode(Substring(sent), plusIsSpace: true), rule.knows(name) else {
                throw Refusal(.unsupportedField, field: String(decoding: sent, as: UTF8.self))
            }
            let value = PercentEncoding.decode(Substring(piece.dropFirst(sent.count + 1)), plusIsSpace: true)
            if value == nil || values.contains(where: { $0.name == name }) {
                fault = fault ?? Refusal(.invalidValue, field: name)
            }
            values.append((name, value ?? "?"))
        }
        for name in rule.required where self[name] == nil { throw Refusal(.missingField, field: name) }
        if let fault { throw fault }
    }

    /// The decoded value; `nil` where it is missing or empty.
    subscript(name: String) -> String? {
        guard let value = values.first(where: { $0.name == name })?.value, !value.isEmpty else { return nil }
        return value
    }

    /// A parameter that the route requires.
    /// - Throws: 2102; in truth the initialiser has, so that a caller hears of it before anything else.
    func required(_ name: String) throws(Refusal) -> String {
        guard let value = self[name] else { throw Refusal(.missingField, field: name) }
        return value
    }

    /// An identifier.
    /// - Throws: 2103 where it cannot be one.
    func identifier<ID: Identifier>(_ name: String) throws(Refusal) -> ID? {
        guard let text = self[name] else { return nil }
        guard let id = ID(text) else { throw Refusal(.invalidValue, field: name) }
        return id
    }

    /// A time in Unix milliseconds, at most 15 digits.
    /// - Throws: 2103 on anything but digits.
    func milliseconds(_ name: String) throws(Refusal) -> Int64? {
        guard let text = self[name] else { return nil }
        guard let value = Query.digits(text) else { throw Refusal(.invalidValue, field: name) }
        return value
    }

    /// `true` or `false`.
    /// - Throws: 2103 on anything else.
    func flag(_ name: String) throws(Refusal) -> Bool? {
        guard let text = self[name] else { return nil }
        guard text == "true" || text == "false" else { throw Refusal(.invalidValue, field: name) }
        return text == "true"
    }

    /// Where a list goes on.
    var after: PageToken? { self["after"].map(PageToken.init) }

    /// How many items a page of a list may hold, 1 to 1,000.
    /// - Throws: 2103.
    func limit() throws(Refusal) -> Int {
        guard let text = self["limit"] else { return 100 }
        guard let value = Query.digits(text), (1...1000).contains(value) else { throw Refusal(.invalidValue, field: "limit") }
        return Int(value)
    }

    private static func digits(_ text: String) -> Int64? {
        guard text.utf8.count <= 15, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return Int64(text)
    }
}
