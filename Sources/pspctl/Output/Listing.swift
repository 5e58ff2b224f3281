import JSON

/// Reads a paged list and prints it, as a table or as one JSON array.
struct Listing {
    /// The most that the server gives in one page.
    static let largestPage = 1000

    let client: ServerClient
    let path: [String]
    let query: [(name: String, value: String?)]

    /// The call for the page after a token.
    func call(after token: String?, limit: Int) -> Call {
        Call(.get, path, query: query + [("after", token), ("limit", String(limit))])
    }

    /// Reads up to `wanted` items, all where it is `nil`, page by page.
    /// - Returns: whether there are more.
    func read(wanted: Int?, _ item: (JSONValue) -> Void) async throws -> Bool {
        var token: String?
        var count = 0
        repeat {
            let limit = wanted.map { min($0 - count, Listing.largestPage) } ?? Listing.largestPage
            let page = try await client.send(call(after: token, limit: limit)).data
            guard let items = page["items"] else { throw Failure.foreignReply(endpoint: client.endpoint, status: 200) }
            for element in items.elements { item(element) }
            count += items.count
            token = page["next"]?.string
        } while token != nil && count < wanted ?? .max
        return token != nil
    }

    /// Prints the list.
    func print(_ columns: [Column], page: PageOptions, json: Bool) async throws {
        if json {
            var writer = JSONWriter()
            var items: [[UInt8]] = []
            _ = try await read(wanted: page.wanted) { items.append($0.minified()) }
            writer.array { writer in for item in items { writer.raw(item) } }
            Output.json(writer.bytes)
            return
        }
        var table = Table(columns)
        let hasMore = try await read(wanted: page.wanted) { table.add($0) }
        for line in table.lines { Swift.print(line) }
        if hasMore { Output.error("(there are more: --limit N or --all)") }
    }
}
