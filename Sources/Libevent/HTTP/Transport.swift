internal import CLibevent
internal import Glibc

/// The way of a caller's bytes: all that are read and written past evhttp pass here.
///
/// It is plain TCP or TLS. What is encrypted differs in the functions below, and in `Transport+TLS`: reading and writing at once
/// are then those of the session, and bytes may wait in it that the system does not know of. The plain form pays a comparison.
struct Transport {
    /// The bufferevent of the socket.
    let stream: OpaquePointer
    let descriptor: Int32
    /// Whether it is TLS.
    let isEncrypted: Bool

    /// The transport of a bufferevent that evhttp has given its socket.
    init(of stream: OpaquePointer, isEncrypted: Bool) {
        (self.stream, descriptor, self.isEncrypted) = (stream, bufferevent_getfd(stream), isEncrypted)
    }

    /// The bufferevent of a caller, for evhttp, which gives it its socket; nil when there is no memory.
    /// - Parameter closing: whether it closes the socket at its end. One that is encrypted always does.
    static func makeStream(on base: OpaquePointer?, by context: TLSContext?, closing: Bool) -> OpaquePointer? {
        if let context { return makeEncryptedStream(on: base, context) }
        return bufferevent_socket_new(base, -1, closing ? Int32(BEV_OPT_CLOSE_ON_FREE.rawValue) : 0)
    }

    // MARK: Reading

    /// What has been read.
    var input: OpaquePointer? { bufferevent_get_input(stream) }

    /// Whether something waits that has not been read.
    var hasUnreadInput: Bool { ps_is_readable(descriptor) != 0 || isEncrypted && hasDecryptedInput }

    /// Reads what waits, past the bufferevent. Returns the number of bytes; 0 or less when there is none, at the end, and after
    /// an error.
    func readNow(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        if isEncrypted { return readNowDecrypting(into: buffer) }
        return recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
    }

    /// Puts what was read past the bufferevent behind its input. Returns whether there was memory for it.
    func appendToInput(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // A bufferevent keeps the end of its input to itself; at the front everybody may add.
        let input = input
        if evbuffer_get_length(input) == 0 { return evbuffer_prepend(input, bytes.baseAddress, bytes.count) == 0 }
        guard let all = evbuffer_new() else { return false }
        defer { evbuffer_free(all) }
        return evbuffer_add_buffer(all, input) == 0 && evbuffer_add(all, bytes.baseAddress, bytes.count) == 0
            && evbuffer_prepend_buffer(input, all) == 0
    }

    /// Forgets what has been read.
    func dropInput() { evbuffer_drain(input, evbuffer_get_length(input)) }

    /// Reads what waits, past the bufferevent, and forgets it.
    func discardInput(upTo limit: Int) {
        var left = limit
        withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 1) { buffer in
            while left > 0, case let count = readNow(into: buffer), count > 0 { left -= count }
        }
    }

    // MARK: Writing

    /// How many bytes wait to be written.
    @inline(__always)
    var unsentCount: Int { evbuffer_get_length(bufferevent_get_output(stream)) }

    /// Writes at once what the system takes, past the buffer, which must be empty. Returns the number of bytes; negative with
    /// `errno` set. What was not taken has to be written next, by `write`, and nothing else before it.
    @inline(__always)
    func writeNow(_ bytes: UnsafeRawBufferPointer) -> Int {
        isEncrypted ? writeNowEncrypting(bytes) : ps_send(descriptor, bytes.baseAddress, bytes.count)
    }

    /// Writes behind what waits. Returns whether there was memory for it.
    func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bufferevent_write(stream, bytes.baseAddress, bytes.count) == 0 else { return false }
        return !isEncrypted || bufferevent_enable(stream, ps_ev_write()) == 0
    }

    /// Ends our side of the stream. Returns whether it could be.
    func shutDownWriting() -> Bool {
        sayGoodbye()
        return ps_shutdown_write(descriptor) == 0
    }
}
