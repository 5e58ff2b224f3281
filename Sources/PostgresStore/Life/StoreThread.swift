internal import Libevent

/// The loop of a node's own. It runs until nobody holds the store or a port of it any more, also after the store's end: so what
/// is asked then is answered.
final class StoreThread: Sendable {
    let loop: EventLoop

    init() throws(LibeventError) {
        loop = try EventLoop(name: "store")
        loop.start()
    }

    deinit {
        loop.stop()
        // The last one who held it may be on the loop itself.
        loop.detach()
    }
}
