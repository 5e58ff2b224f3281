internal import Base
internal import Push
internal import Web

extension QueryRule {
    /// What every list takes beside its own parameters.
    static func list(required: [String] = [], _ filters: String...) -> QueryRule {
        QueryRule(required: required, optional: filters + ["after", "limit"])
    }
}

extension Query {
    /// Where a list goes on.
    var after: PageToken? { self["after"].map(PageToken.init) }

    /// How many items a page of a list may hold, 1 to 1,000; 100 unless given.
    func limit() throws(Rejection) -> Int {
        Int(try number("limit", in: 1...1000) ?? 100)
    }

    /// One of some words.
    /// - Throws: 2103.
    func choice(_ name: String, of words: [String]) throws(Refusal) -> String? {
        guard let text = self[name] else { return nil }
        guard words.contains(text) else { throw Refusal(.invalidValue, field: name, .expected(.oneOf(words), Excerpt(text))) }
        return text
    }

    /// What a caller named freely.
    func exactText(_ name: String) -> ExactText? { self[name].map { ExactText($0) } }

    /// An identifier by which a list is filtered.
    /// - Throws: 2103.
    func identifier<ID: Identifier>(_ name: String) throws(Refusal) -> ID? {
        guard let text = self[name] else { return nil }
        guard let id = ID(text) else { throw Refusal(.invalidValue, field: name, .expected(.identifier, Excerpt(text))) }
        return id
    }
}
