/// One event of an ``EventStream`` (HTML Living Standard, "Server-sent events").
public struct ServerSentEvent: Hashable, Sendable {
    /// What kind of event it is; a browser calls it `message` where there is none. No line breaks.
    public let name: String?
    /// What the event says, of any number of lines.
    public var data: String
    /// What a client that connects again sends as `Last-Event-ID`. No line breaks.
    public let id: String?

    /// An event.
    public init(name: String? = nil, data: String, id: String? = nil) {
        precondition(!Self.hasLineBreak(name) && !Self.hasLineBreak(id), "an event's name or id with a line break")
        self.name = name
        self.data = data
        self.id = id
    }

    /// The event as it is sent.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(data.utf8.count + 64)
        if let id { Self.append("id", id.utf8, to: &bytes) }
        if let name { Self.append("event", name.utf8, to: &bytes) }
        // A client takes CR LF, LF and CR alone for the end of a line, and puts LF between them.
        for line in data.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "\r\n" || $0 == "\n" || $0 == "\r" }) {
            Self.append("data", line.utf8, to: &bytes)
        }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    private static func append(_ field: StaticString, _ value: some Collection<UInt8>, to bytes: inout [UInt8]) {
        field.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: ": ".utf8)
        bytes.append(contentsOf: value)
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func hasLineBreak(_ text: String?) -> Bool { text?.utf8.contains { $0 == 10 || $0 == 13 } == true }
}
