internal import CLibevent
internal import Glibc

/// The way of an accepted connection's bytes: all that are read and written, for a device as for a caller, pass here.
///
/// Today it is plain TCP. What is encrypted differs in the functions below, and where the bufferevents of callers are made
/// (`ConnectionOfStream`, `PlainLink`): reading and writing at once are then those of the session, and bytes may wait in it that
/// the system does not know of.
struct Transport {
    /// The bufferevent of the socket.
    let stream: OpaquePointer
    let descriptor: Int32

    /// Makes the bufferevent of a socket, which it closes at its end.
    init(descriptor: Int32, on base: OpaquePointer) throws(LibeventError) {
        guard let stream = bufferevent_socket_new(base, descriptor, Int32(BEV_OPT_CLOSE_ON_FREE.rawValue)) else {
            close(descriptor)
            throw .library(call: "bufferevent_socket_new")
        }
        (self.stream, self.descriptor) = (stream, descriptor)
    }

    /// The transport of a bufferevent that evhttp has given its socket.
    init(of stream: OpaquePointer) { (self.stream, descriptor) = (stream, bufferevent_getfd(stream)) }

    /// The bufferevent goes, and the socket with it.
    func free() { bufferevent_free(stream) }

    // MARK: Reading

    /// What has been read.
    var input: OpaquePointer? { bufferevent_get_input(stream) }

    /// Whether something waits that has not been read.
    var hasUnreadInput: Bool { ps_is_readable(descriptor) != 0 }

    /// Reads what waits, past the bufferevent. Returns the number of bytes; 0 or less when there is none, at the end, and after
    /// an error.
    func readNow(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
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
    /// `errno` set.
    @inline(__always)
    func writeNow(_ bytes: UnsafeRawBufferPointer) -> Int { ps_send(descriptor, bytes.baseAddress, bytes.count) }

    /// Writes behind what waits. Returns whether there was memory for it.
    func write(_ bytes: UnsafeRawBufferPointer) -> Bool { bufferevent_write(stream, bytes.baseAddress, bytes.count) == 0 }

    /// Ends our side of the stream. Returns whether it could be.
    func shutDownWriting() -> Bool { ps_shutdown_write(descriptor) == 0 }
}
