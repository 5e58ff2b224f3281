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
        guard let limit = try number("limit") else { return 100 }
        guard (1...1000).contains(limit) else { throw .invalidParameter("limit") }
        return Int(limit)
    }

    /// An identifier by which a list is filtered.
    func identifier<ID: Identifier>(_ name: String) throws(Rejection) -> ID? {
        guard let text = self[name] else { return nil }
        guard let id = ID(text) else { throw .invalidParameter(name) }
        return id
    }
}
