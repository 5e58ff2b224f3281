extension Connection {
    /// Whether the system holds something for this connection that has not been read. It costs a system call.
    public var hasUnreadInput: Bool { stream?.hasUnreadInput ?? entry?.hasUnreadInput ?? false }

    /// Whether the other end has closed its side, or reset the connection, though what it sent before may not be read yet. It
    /// costs a system call.
    public var isEndedByPeer: Bool { stream?.isEndedByPeer ?? false }

    /// Reads what the system holds for this connection right now, at most `limit` bytes, and adds it to the unread input, whether
    /// or not reading is on. For an owner that must have everything the peer has sent before it goes on; the handler is not told
    /// of this input. Not from inside `withInput`.
    ///
    /// Where nothing waits, it costs a system call and no memory: a server that ends asks this of every connection.
    ///
    /// - Returns: how many bytes were read; 0 when nothing is there now, the peer has closed, or the connection has ended.
    public func pull(atMost limit: Int) -> Int {
        guard state == .open, limit > 0 else { return 0 }
        var total = 0
        let buffer = loop.turn.readBuffer
        while total < limit {
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, limit - total)])
            // An error or the end of the stream is noticed, and told, by the next regular read.
            guard case .moved(let count) = stream?.read(into: room) else { break }
            appendInput(UnsafeRawBufferPointer(rebasing: room[..<count]))
            total += count
        }
        recallRecords()
        return total
    }
}
