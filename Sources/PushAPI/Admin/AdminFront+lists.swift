internal import Push
internal import Web

/// Paged lists, of the directory and of tasks. A page may hold fewer items than asked, even none; a list ends where `next` is
/// absent.
extension AdminFront {
    func apps(_ request: Request<AdminFront>) async throws -> Reply {
        let query = try request.query()
        return .page(try await store.apps(after: query.after, limit: try query.limit())) { $0.value($1) }
    }

    func organisations(_ request: Request<AdminFront>) async throws -> Reply {
        let query = try request.query()
        return .page(
            try await store.organisations(within: try scope(of: request), after: query.after, limit: try query.limit())
        ) { $0.value($1) }
    }

    func devices(_ request: Request<AdminFront>) async throws -> Reply {
        let query = try request.query()
        let filter = DeviceFilter(
            organisation: try query.identifier("org_id"), user: try query.identifier("user_id"),
            scope: try scope(of: request), online: try query.flag("online"))
        return .page(try await store.devices(filter, after: query.after, limit: try query.limit())) { $0.value($1) }
    }

    func tasks(_ request: Request<AdminFront>) async throws -> Reply {
        let query = try request.query()
        let filter = TaskFilter(
            app: try query.identifier("appkey"), organisation: try query.identifier("org_id"),
            scope: try scope(of: request), tag: query.exactText("tag"),
            outBizNo: query.exactText("out_biz_no"), from: try query.number("from"), to: try query.number("to"))
        return .page(try await store.tasks(filter, after: query.after, limit: try query.limit())) { $0.value($1, withApp: true) }
    }
}
