internal import CLibpq

/// A request to cancel what a session works on, with what is needed to make it, whatever becomes of the connection.
///
/// `@unchecked Sendable`: nobody changes the C object, and libpq makes the request from any thread (PostgreSQL documentation,
/// "Canceling Queries in Progress").
final class CancelRequest: @unchecked Sendable {
    private let request: OpaquePointer

    init(_ request: OpaquePointer) { self.request = request }

    deinit { PQfreeCancel(request) }

    /// Sends it over a connection of its own and waits until the server has passed it on: it blocks, at most as long as the
    /// connection's timeouts say. Without TLS, which libpq uses for it from version 17 on only.
    func send() {
        var text = [CChar](repeating: 0, count: 256)
        // A failure shows by itself: the call goes on, and its connection is given up.
        _ = PQcancel(request, &text, Int32(text.count))
    }
}
