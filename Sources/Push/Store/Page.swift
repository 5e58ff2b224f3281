/// A part of a list: it may hold fewer than asked, even none; the list ends where `next` is `nil`.
public struct Page<Item: Sendable>: Sendable {
    /// In the list's order.
    public let items: [Item]
    /// Where the next page begins.
    public let next: PageToken?
    /// A part of a list.
    public init(items: [Item], next: PageToken?) {
        self.items = items
        self.next = next
    }
}

/// Where a list goes on; opaque, only the store parses it.
public struct PageToken: Hashable, Sendable {
    /// As it stands in an address.
    public let text: String
    /// Any text: the store decides whether it gave it out.
    public init(_ text: String) { self.text = text }
}
