internal import CLibevent
internal import Glibc

extension Connection {
    /// Reads what the system holds for this connection right now, at most `limit` bytes, and adds it to the unread input, whether or not reading is on.
    /// For an owner that must have everything the peer has sent before it goes on; the handler is not told of this input. Not from inside
    /// `withInput`.
    ///
    /// - Returns: how many bytes were read; 0 when nothing is there now, the peer has closed, or the connection has ended.
    public func pull(atMost limit: Int) -> Int {
        guard let stream, state == .open else { return 0 }
        precondition(!viewing, "a view of the input is out")
        guard let input = bufferevent_get_input(stream) else { return 0 }
        // A bufferevent keeps its input frozen, so that nobody but itself adds to it; it does the same around its own reads.
        evbuffer_unfreeze(input, 0)
        defer { evbuffer_freeze(input, 0) }
        var total = 0
        while total < limit {
            let count = evbuffer_read(input, descriptor, Int32(clamping: limit - total))
            // An error or the end of the stream is noticed, and told, by the next regular read.
            if count <= 0 { break }
            total += Int(count)
        }
        return total
    }
}
