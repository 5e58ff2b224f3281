internal import Push

/// The two interfaces of pushing.
extension PushFront {
    /// `POST /psp/push/msg` and `/psp/push/config`. SUCCESS means that the store has it on disk.
    func push(_ request: Request, _ interface: Interface) async throws -> Reply {
        let app = if let app = recognise(request, for: interface) { app } else { try await authenticate(request, for: interface) }
        let push = try request.decoded { body throws(Refusal) in try PushDecoder.decode(body, for: interface, from: app) }
        // No limit of rates is configured on a loop: the store alone may answer 2301.
        switch await store.append(push, withinRate: true) {
        case .stored(let task), .repeated(let task): return .accepted(task)
        case .refused(let refusal): throw refusal
        case .unavailable(let retryAfter): throw StoreError.unavailable(retryAfter: retryAfter)
        case .unknown: throw StoreError.unknown
        }
    }
}
