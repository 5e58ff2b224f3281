internal import CLibevent
internal import Glibc

// A connection that a trusted proxy has opened for somebody: what the proxy says of it comes first, in clear, also where TLS
// follows.

extension Connection {
    /// How long a proxy may take to say whose connection it is.
    static let identificationTime = Duration.seconds(2)

    /// Takes a socket on which a proxy says first whose connection it is.
    /// - Parameter context: what the connection's TLS begins with, behind that; nil: it is in clear.
    static func accept(
        _ descriptor: Int32, fromProxy proxy: SocketAddress, on loop: EventLoop, by context: TLSContext?
    ) throws(LibeventError) -> Connection {
        let connection = Connection(with: proxy, on: loop, state: .unidentified)
        do throws(LibeventError) {
            // Unowned, both: they go with the connection's end.
            connection.entry = try ProxyEntry(descriptor, on: loop) { [unowned connection] result in
                connection.didIdentify(result, by: context)
            }
            connection.deadline = try Timer(on: loop, after: identificationTime) { [unowned connection] in
                connection.end(.unidentified(.missing))
            }
        } catch {
            connection.end(.closed)
            throw error
        }
        return connection
    }

    /// Whether it is known whose it is.
    public var isIdentified: Bool { state != .unidentified }

    private func didIdentify(_ result: Result<ProxyHeader.Source, ProxyEntry.Failure>, by context: TLSContext?) {
        switch result {
        case .failure(.endOfStream): return end(.endOfStream)
        case .failure(.system(let code)): return end(.failed(code))
        case .failure(.header(let fault)): return end(.unidentified(fault))
        case .success(.proxy): break
        case .success(.client(let client)): clientAddress = client
        }
        guard let descriptor = entry?.takeDescriptor() else { return }
        (entry, deadline) = (nil, nil)
        do throws(LibeventError) {
            try beginAccepted(descriptor, by: context)
        } catch {
            // It has ended.
            return
        }
        toHandler { $0.connectionDidIdentify($1) }
        // The handler may have closed it.
        if !isClosed { stream?.watchInput() }
    }
}
