internal import CLibevent
internal import Glibc

extension Connection {
    /// Whether the system holds something for this connection that has not been read. It costs a system call.
    public var hasUnreadInput: Bool { transport?.hasUnreadInput ?? entry?.hasUnreadInput ?? false }

    /// Reads what the system holds for this connection right now, at most `limit` bytes, and adds it to the unread input, whether
    /// or not reading is on. For an owner that must have everything the peer has sent before it goes on; the handler is not told
    /// of this input. Not from inside `withInput`.
    ///
    /// Where nothing waits, it costs a system call and no memory: a server that ends asks this of every connection.
    ///
    /// - Returns: how many bytes were read; 0 when nothing is there now, the peer has closed, or the connection has ended.
    public func pull(atMost limit: Int) -> Int {
        guard let transport, state == .open, limit > 0 else { return 0 }
        precondition(!viewing, "a view of the input is out")
        // By way of the stack: `evbuffer_read` would give the connection some kilobytes before it knows that there is nothing to
        // read.
        return withUnsafeTemporaryAllocation(byteCount: min(limit, 16 * 1024), alignment: 1) { buffer in
            var total = 0
            while total < limit {
                let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, limit - total)])
                let count = transport.readNow(into: room)
                // An error or the end of the stream is noticed, and told, by the next regular read.
                if count <= 0 { break }
                guard transport.appendToInput(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else {
                    // No memory: what was read is lost, so the stream cannot go on.
                    end(.failed(ENOMEM))
                    break
                }
                total += count
            }
            return total
        }
    }
}
