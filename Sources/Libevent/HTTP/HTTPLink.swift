/// What a server's connection does below evhttp, in one of the two ways (`LibeventWay`): `DirectLink` and `PlainLink`.
///
/// evhttp shows a connection when its first request is complete, and has no callback for a head. A server must see more: who
/// connects, what comes, and how to answer what evhttp must not have.
protocol HTTPLink: AnyObject {
    /// The bufferevent that evhttp reads from and writes to.
    var stream: OpaquePointer { get }
    /// The way of the bytes below it.
    var transport: Transport { get }
    /// How many bytes of evhttp's wait to be written.
    var unsentCount: Int { get }
    /// Whom it tells; set by the connection itself. Nil before and when it has closed.
    var connection: HTTPConnection? { get set }

    /// evhttp has handed over a request.
    func didArrive(_ request: OpaquePointer)
    /// Writes an ordinary answer at once; false: nothing has been done, and the answer goes evhttp's way.
    func answerNow(_ answer: HTTPAnswer, to request: OpaquePointer) -> Bool
    /// evhttp has got an answer. Until it is written nothing is read: the peer may have ended its side, and evhttp would drop the
    /// answer, and what was sent ahead, with it.
    func didHandOver()
    /// Between two requests.
    func becameIdle()
    /// Tells evhttp that a streamed answer is complete.
    func endReply(_ request: OpaquePointer)
    /// Closes the connection. Not from inside one of evhttp's callbacks for it.
    func close()
    /// The connection has closed: what belongs to it goes.
    func didClose()
}

/// Where a server's links begin: evhttp has accepted a connection, and asks for its bufferevent.
protocol HTTPIntake: AnyObject {
    /// Makes the bufferevent; nil when there is no memory, and evhttp makes one that nobody knows.
    func makeStream(on base: OpaquePointer?) -> OpaquePointer?
    /// How many connections have been accepted and are not in the server's table yet.
    var pendingCount: Int { get }
    /// The server goes.
    func free()
}
