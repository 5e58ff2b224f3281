import JSON

/// Reads a paged list and prints it, as a table or as one JSON array.
struct Listing {
    /// The most that the server gives in one page.
    static let largestPage = 1000

    let client: ServerClient
    let path: [String]
    /// One list after the other.
    let queries: [[(name: String, value: String?)]]

    init(client: ServerClient, path: [String], query: [(name: String, value: String?)]) {
        self.init(client: client, path: path, queries: [query])
    }

    init(client: ServerClient, path: [String], queries: [[(name: String, value: String?)]]) {
        self.client = client
        self.path = path
        self.queries = queries
    }

    /// The call for the page after a token.
    func call(_ query: [(name: String, value: String?)], after token: String?, limit: Int) -> Call {
        Call(.get, path, query: query + [("after", token), ("limit", String(limit))])
    }

    /// Reads up to `wanted` items, all where it is `nil`, page by page.
    /// - Returns: whether there are more, or may be.
    func read(wanted: Int?, _ item: (JSONValue) -> Void) async throws -> Bool {
        var count = 0
        for (index, query) in queries.enumerated() {
            var token: String?
            repeat {
                let limit = wanted.map { min($0 - count, Listing.largestPage) } ?? Listing.largestPage
                let page = try await client.send(call(query, after: token, limit: limit)).data
                guard let items = page["items"] else { throw Failure.foreignReply(endpoint: client.endpoint, status: 200) }
                for element in items.elements { item(element) }
                count += items.count
                token = page["next"]?.string
            } while token != nil && count < wanted ?? .max
            if count >= wanted ?? .max { return token != nil || index + 1 < queries.count }
        }
        return false
    }

    /// Prints the list.
    /// - Returns: whether there was nothing.
    @discardableResult
    func print(_ columns: [Column], page: PageOptions, json: Bool) async throws -> Bool {
        if json {
            var writer = JSONWriter()
            var items: [[UInt8]] = []
            _ = try await read(wanted: page.wanted) { items.append($0.minified()) }
            writer.array { writer in for item in items { writer.raw(item) } }
            Output.json(writer.bytes)
            return items.isEmpty
        }
        var table = Table(columns)
        let hasMore = try await read(wanted: page.wanted) { table.add($0) }
        for line in table.lines(width: Terminal.width) { Swift.print(line) }
        if hasMore { Output.error(say("(there are more: --limit N or --all)", "（还有更多：--limit N 或 --all）")) }
        return table.isEmpty
    }
}
