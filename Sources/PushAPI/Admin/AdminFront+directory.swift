internal import Crypto
internal import JSON
internal import Push
internal import Web

/// `PUT`, `GET` and `DELETE` of apps, organisations and devices. A secret is told once, by the 201 of the PUT that made the
/// record.
extension AdminFront {
    func putApp(_ request: Request<AdminFront>) async throws -> Reply {
        let key: AppKey = try request.identifier("appkey")
        let change = try request.decoded(DirectoryDecoder.app)
        let result = try await store.apply(.putApp(key, change, secretIfNew: Random.secret()), by: try operatorCall(of: request))
        return .changed(result, "appkey", key.text, secretName: "master_secret")
    }

    func app(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let app = try await store.app(try request.identifier("appkey"))
        return .success { $0.value(app) }
    }

    /// `POST /psp/admin/apps/{appkey}/rotate`: a new secret, told once; the former one is taken until
    /// `DELETE /psp/admin/apps/{appkey}/former-secret`.
    func rotateSecret(_ request: Request<AdminFront>) async throws -> Reply {
        let key: AppKey = try request.identifier("appkey")
        var rotation: (secret: String?, again: Bool) = (nil, false)
        if request.body.isEmpty {
            try request.refuseContent()
        } else {
            rotation = try request.decoded(DirectoryDecoder.rotation)
        }
        let result = try await store.apply(
            .rotateSecret(key, secret: rotation.secret ?? Random.secret(), again: rotation.again),
            by: try operatorCall(of: request))
        return .changed(result, "appkey", key.text, secretName: "master_secret")
    }

    func dropFormerSecret(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let key: AppKey = try request.identifier("appkey")
        return .changed(try await store.apply(.dropFormerSecret(key), by: try operatorCall(of: request)), "appkey", key.text)
    }

    func removeApp(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let key: AppKey = try request.identifier("appkey")
        return .changed(try await store.apply(.removeApp(key), by: try operatorCall(of: request)), "appkey", key.text)
    }

    func putOrganisation(_ request: Request<AdminFront>) async throws -> Reply {
        let id: OrgID = try request.identifier("org_id")
        let change = try request.decoded(DirectoryDecoder.organisation)
        return .changed(try await store.apply(.putOrganisation(id, change), by: try operatorCall(of: request)), "org_id", id.text)
    }

    func organisation(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let organisation = try await store.organisation(
            try request.identifier("org_id"), within: try scope(of: request))
        return .success { $0.value(organisation) }
    }

    func removeOrganisation(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let id: OrgID = try request.identifier("org_id")
        return .changed(try await store.apply(.removeOrganisation(id), by: try operatorCall(of: request)), "org_id", id.text)
    }

    func putDevice(_ request: Request<AdminFront>) async throws -> Reply {
        let token: DeviceToken = try request.identifier("device_token")
        let change = try request.decoded(DirectoryDecoder.device)
        let result = try await store.apply(
            .putDevice(token, change, secretIfNew: Random.secret()), by: try operatorCall(of: request))
        return .changed(result, "device_token", token.text, secretName: "secret")
    }

    func device(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let token: DeviceToken = try request.identifier("device_token")
        let device = try await store.device(token, within: try scope(of: request))
        let backlog = try await store.backlog(of: token, patience: Self.patienceWithLoop)
        return .success { $0.value(device, backlog) }
    }

    /// How long the loop of a device's connection is waited for. One that turns answers within milliseconds.
    static var patienceWithLoop: Duration { .seconds(1) }

    func removeDevice(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let token: DeviceToken = try request.identifier("device_token")
        return .changed(
            try await store.apply(.removeDevice(token), by: try operatorCall(of: request)), "device_token", token.text)
    }

    func disconnect(_ request: Request<AdminFront>) async throws -> Reply {
        try request.refuseContent()
        let token: DeviceToken = try request.identifier("device_token")
        try await store.disconnect(token, by: try operatorCall(of: request))
        return .changed(.updated, "device_token", token.text)
    }
}

extension Reply {
    /// The answer to a change of the directory: 201 created, 202 updated, 200 removed.
    /// - Parameter secretName: under which the record's secret is told when it was created.
    static func changed(_ result: ChangeResult, _ idName: String, _ id: String, secretName: String? = nil) -> Reply {
        var status = 200
        var secret: String?
        switch result {
        case .created(let made):
            status = 201
            secret = made
        case .updated: status = 202
        case .removed: break
        }
        return .success(status) { json in
            json.object { json in
                json.member(idName, id)
                if let secretName { json.member(secretName, ifPresent: secret) }
            }
        }
    }
}
