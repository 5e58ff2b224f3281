internal import JSON
internal import Push
internal import Web

/// Who shares the store.
extension AdminFront {
    /// `GET /psp/admin/nodes`: any node tells all.
    func nodes(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let nodes = try await process.nodes()
        return .success(capacity: 128 * (nodes.count + 1)) { json in
            json.object { json in
                json.key("items")
                json.array { json in
                    for var node in nodes {
                        // The store may learn of it a moment later.
                        if node.isOwn, isEnding { node.isDraining = true }
                        json.value(node)
                    }
                }
            }
        }
    }
}

extension JSONWriter {
    mutating func value(_ node: NodeReport) {
        object { json in
            json.member("node", node.name)
            json.member("state", node.isLiving ? node.isDraining ? "draining" : "serving" : "lapsed")
            json.member("own", node.isOwn)
            json.member("version", node.version)
            json.member("started_at", node.startedAt)
            if let lease = node.lease { json.member("lease", lease) }
            json.member("lag", node.lag)
            json.member("sessions", node.sessions)
        }
    }

    /// Writes how the node stands to the store that it shares.
    mutating func value(_ standing: NodeStanding) {
        object { json in
            json.member("lease", standing.lease)
            json.member("lag", standing.lag)
            json.member("lapses", standing.lapses)
            json.member("unknown_calls", standing.unknownCalls)
            json.member("losses", standing.losses)
            json.member("switches", standing.switches)
            if let primary = standing.primary { json.member("primary", primary) }
            if standing.hasNoStandby == true { json.member("without_standby", true) }
            if standing.hasForeignFunctions { json.member("foreign_functions", true) }
        }
    }
}
