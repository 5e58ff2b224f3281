internal import JSON
internal import Libevent
internal import Push
internal import Web

/// Traces: everything that happens to one device, user, app or address, told live for some minutes.
extension AdminFront {
    /// `POST /psp/admin/trace`
    func beginTrace(_ request: Request<AdminFront>) async throws -> Reply {
        let (subject, minutes) = try request.decoded(TraceDecoder.decode)
        let found = try await resolved(subject)
        _ = try operatorCall(of: request)
        guard let trace = await process.tracing.begin(found, minutes) else {
            throw Refusal(.rateLimited, .tooManyTraces(Tracer.most))
        }
        return .success(201) { $0.value(trace) }
    }

    /// A user is traced by the devices that it holds now; a thousand of them at most.
    private func resolved(_ subject: TraceDecoder.Subject) async throws -> TraceSubject {
        switch subject {
        case .device(let token): return .device(token)
        case .app(let key): return .app(key)
        case .address(let address): return .address(address)
        case .user(let user):
            let devices = try await store.devices(DeviceFilter(user: user), after: nil, limit: 1_000)
            return .user(user, devices: Set(devices.items.map(\.token)))
        }
    }

    /// `GET /psp/admin/trace`
    func traces(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        return .page(Page(items: process.tracing.tracer.traces, next: nil)) { $0.value($1) }
    }

    /// `DELETE /psp/admin/trace/{trace_id}`
    func endTrace(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let id = request.traceID
        guard await process.tracing.end(id) else { throw Refusal(.noSuchTask, field: "trace_id") }
        return .success(202) { json in json.object { $0.member("trace_id", id) } }
    }

    /// `GET /psp/admin/trace/{trace_id}/events`
    func followTrace(_ request: Request<AdminFront>) {
        do {
            _ = try request.query()
            _ = try operatorCall(of: request)
            let id = request.traceID
            let (loop, number) = (loop, nextFollower)
            let tracer = process.tracing.tracer
            let following = tracer.follow(id) { [unowned self] event in
                loop.execute { [unowned self] in self.assumeIsolated { $0.tell(event, to: number) } }
            }
            guard let following else { throw Refusal(.noSuchTask, field: "trace_id") }
            nextFollower += 1
            let (stream, expiry): (EventStream, Timer?)
            do {
                expiry = try self.expiry(of: request.caller, following: number)
                stream = try openEventStream(for: request)
            } catch {
                tracer.leave(following)
                throw error
            }
            followers[number] = Follower(
                stream: stream, caller: request.caller, access: request.route.access, expiry: expiry
            ) { tracer.leave(following) }
            stream.onClose = { [unowned self] in
                tracer.leave(following)
                followers[number] = nil
            }
        } catch {
            refuse(request, because: error)
        }
    }

    private func tell(_ event: TraceEvent?, to follower: Int) {
        guard let stream = followers[follower]?.stream else { return }
        guard let event else { return end(follower) }
        // A follower that reads too slowly misses events rather than have them wait in memory.
        guard !stream.isBehind else { return }
        var json = JSONWriter()
        json.object { json in
            json.member("time", event.time)
            json.member("event", event.name)
            for (name, value) in event.fields { json.member(name, value) }
        }
        stream.send(ServerSentEvent(name: "trace", data: String(decoding: json.bytes, as: UTF8.self)))
    }
}

extension Request where Service == AdminFront {
    fileprivate var traceID: String { decodedParameter("trace_id") ?? "" }
}

extension JSONWriter {
    fileprivate mutating func value(_ trace: Trace) {
        object { json in
            json.member("trace_id", trace.id)
            switch trace.subject {
            case .device(let token): json.member("device_token", token.text)
            case .user(let user, let devices):
                json.member("user_id", user.text)
                json.member("devices", devices.count)
            case .app(let key): json.member("appkey", key.text)
            case .address(let address): json.member("address", "\(address)")
            }
            json.member("until", trace.until)
        }
    }
}
