internal import Base
internal import Glibc

/// Work that may block for long and that nobody waits for: on a thread of its own, which ends with it.
enum Errand {
    static func run(_ name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let work = Work(name: name, body: body)
        var handle = pthread_t()
        let context = Unmanaged.passRetained(work).toOpaque()
        let result = pthread_create(&handle, nil, errandThread, context)
        guard result == 0 else {
            Unmanaged<Work>.fromOpaque(context).release()
            throw SystemError(code: result)
        }
        pthread_detach(handle)
    }

    fileprivate final class Work: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}

private func errandThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let work = Unmanaged<Errand.Work>.fromOpaque(context).takeRetainedValue()
    CurrentThread.setName(work.name)
    work.body()
    return nil
}
