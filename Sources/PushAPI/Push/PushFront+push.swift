internal import Push
internal import Web

/// The two interfaces of pushing.
extension PushFront {
    /// `POST /psp/push/msg` and `/psp/push/config`. SUCCESS means that the store has it on disk.
    ///
    /// No task, unless the store has to be asked who calls.
    func push(_ request: Request<PushFront>, _ interface: Interface) {
        if case .app(let app) = request.caller { return append(request, interface, from: app) }
        Task.immediate(executorPreference: loop) {
            do {
                append(request, interface, from: try await appByHead(of: request))
            } catch {
                refuse(request, because: error)
            }
        }
    }

    private func append(_ request: Request<PushFront>, _ interface: Interface, from app: AppKey) {
        let push: PushRequest
        do throws(Refusal) {
            try request.judgeBody()
            let nonce = authentication.nonce(of: request.headers.credentials)
            let client = request.exchange.clientAddress
            push = try request.decoded { body throws(Refusal) in
                try PushDecoder.decode(
                    body, for: interface, from: app, nonce: nonce,
                    origin: PushRequest.Origin(client: client, requestID: request.id))
            }
        } catch {
            pushes[interface].refused += 1
            return refuse(request, because: error)
        }
        // Safe: the store answers on this loop, and nobody else has the request.
        nonisolated(unsafe) let request = request
        if tracer.isOn { return appendTraced(push, request) }
        store.append(push) { accepted in
            self.assumeIsolated { front in
                front.pushes[interface].count(accepted)
                front.respond(to: request, with: .outcome(accepted, for: request.headers))
            }
        }
    }

    /// The same while something is traced: apart, so that the usual way carries nothing for it.
    private func appendTraced(_ push: PushRequest, _ request: Request<PushFront>) {
        // Safe: as above.
        nonisolated(unsafe) let request = request
        store.append(push) { accepted in
            self.assumeIsolated { front in
                front.pushes[push.interface].count(accepted)
                front.tracer.tell(
                    push, accepted, from: request.exchange.clientAddress, as: request.id, at: front.clocks.wall())
                front.respond(to: request, with: .outcome(accepted, for: request.headers))
            }
        }
    }
}

extension Reply {
    /// The reply to a push that the store has decided; a refusal is in the caller's language.
    fileprivate static func outcome(_ accepted: Accepted, for headers: RequestHeaders) -> Reply {
        switch accepted {
        case .stored(let task), .repeated(let task): .accepted(task)
        case .refused(let refusal): .refusal(refusal, for: headers)
        case .unavailable(let delay): .failure(StoreError.unavailable(retryAfter: delay), for: headers)
        case .unknown: .failure(StoreError.unknown, for: headers)
        }
    }
}
