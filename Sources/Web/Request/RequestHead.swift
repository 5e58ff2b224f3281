public import Base
public import Libevent

/// What a front wants to know of a request's headers, collected in one pass over them.
public protocol HeaderFields {
    /// Nothing has been seen yet.
    init()

    /// Sees one header, in the order and the spelling of the request. The bytes are valid inside the call only: nearly all
    /// headers are of no interest, so make values of the few that are.
    mutating func collect(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)

    /// By what the peer calls the request (see ``RequestID``); `nil` where it does not, and then it is given a name.
    var requestID: String? { get }
}

extension HeaderFields {
    /// None, for a front that does not ask.
    public var requestID: String? { nil }
}

/// What the gate looks at: a request that is there, or the head of one whose body is still to come.
@usableFromInline
protocol RequestHead {
    var method: HTTPMethod { get }
    var rawTarget: String { get }
    var rawPath: String { get }
    /// Looked for when it is asked for.
    var clientAddress: IPAddress? { get }
    /// Whether there is no room for its connection.
    var isSurplus: Bool { get }
    /// The bytes of the request line and the headers.
    var headerBytes: Int { get }
    /// The bytes of the body, as far as they are known.
    var bodyCount: Int { get }
    /// Whether there is a body, if only an empty one in chunks.
    var hasBody: Bool { get }
    var framing: HTTPFraming { get }
    func forEachHeader(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void)
}

extension RequestHead {
    /// How long the body is by its `Content-Length`; of one in chunks nobody knows before its end.
    @usableFromInline var announcedLength: Int? {
        let wanted = Array("content-length".utf8)
        var isAnnounced = false
        forEachHeader { name, _ in
            guard name.count == wanted.count, !isAnnounced else { return }
            isAnnounced = zip(name, wanted).allSatisfy { $0 | 0x20 == $1 | 0x20 }
        }
        return isAnnounced ? bodyCount : nil
    }

    @inlinable var call: Call { Call(method: method, target: rawTarget) }
}

extension HeaderFields {
    @inlinable
    init(of head: some RequestHead) {
        self.init()
        head.forEachHeader { collect(name: $0, value: $1) }
    }
}

extension HTTPExchange: RequestHead {
    @usableFromInline var hasBody: Bool { bodyCount > 0 || isRefused }
}

/// It is shown only where it is not too large and its framing is in order.
extension HTTPRequestHead: RequestHead {
    @usableFromInline var isSurplus: Bool { false }
    @usableFromInline var headerBytes: Int { 0 }
    @usableFromInline var bodyCount: Int { bodyLength ?? 0 }
    @usableFromInline var hasBody: Bool { bodyLength != 0 }
    @usableFromInline var framing: HTTPFraming { .ok }
}
