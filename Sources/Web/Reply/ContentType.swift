/// What a reply's body is. One is made once and used for many replies: its header needs no room of its own in each.
public struct ContentType: Sendable {
    let headers: [(String, String)]

    /// A type of one's own, with its charset where it is text.
    public init(_ value: String) { headers = [("Content-Type", value)] }

    /// `application/json`, in UTF-8.
    public static let json = ContentType("application/json; charset=utf-8")
    /// `text/plain`, in UTF-8.
    public static let text = ContentType("text/plain; charset=utf-8")
    /// `text/html`, in UTF-8.
    public static let html = ContentType("text/html; charset=utf-8")
}
