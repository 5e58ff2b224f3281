internal import Push
internal import Web

/// `POST /psp/admin/import`: many changes of the directory in one call, a line each; and what became of them.
extension AdminFront {
    /// How long an answer waits for the import's end. No proxy waits less.
    private static var patience: Duration { .seconds(3) }

    /// The text is kept by the store before anything of it is applied. What is done within a few seconds is answered with its
    /// counts; what is not, with 202 and the number by which it is looked up. It goes on whoever hangs up.
    ///
    /// The loop has other work: the text is cut in slices, and between two of them it turns. A store that takes no changes is
    /// answered as it says (2302, 2901), and nothing is applied then.
    func importLines(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        try request.refuseEncodedBody()
        let id = ImportID.drawn()
        do {
            guard let last = try await keep(request.slices(), of: id) else {
                // The store has not heard of it.
                store.record(AuditEntry(try operatorCall(of: request), .importRun))
                return .success { $0.value(ImportTally(), failures: [], in: request.headers.language) }
            }
            let report = try await store.run(id, last: last, patience: Self.patience, by: try operatorCall(of: request))
            return report.state == .running
                ? .success(202) { $0.value(report, in: request.headers.language) }
                : .success { $0.value(report.tally, failures: report.failures, in: request.headers.language) }
        } catch {
            store.abandon(id)
            throw error
        }
    }

    /// Has the store keep a text that comes slice by slice, all but its last part.
    /// - Returns: that part; `nil` where the text says nothing.
    private func keep(_ nextSlice: () -> [UInt8]?, of id: ImportID) async throws(StoreError) -> ImportPart? {
        var text = ImportText()
        var full: ImportPart?
        while let slice = nextSlice() {
            if let part = text.append(slice) {
                if let full { try await store.keep(full, of: id) }
                full = part
            }
            if loop.turnExceeded { await loop.nextTurn() }
        }
        guard let last = text.finish() else { return full }
        if let full { try await store.keep(full, of: id) }
        return last
    }

    func importReport(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let id = ImportID(request.decodedParameter("import_id") ?? String(request.parameter("import_id")))
        let report = try await store.importReport(id, by: try beginner(of: request))
        return .success { $0.value(report, in: request.headers.language) }
    }

    func imports(_ request: Request<AdminFront>) async throws -> Reply {
        let query = try request.query()
        let language = request.headers.language
        return .page(
            try await store.imports(
                by: try beginner(of: request), after: query.after, limit: try query.limit())
        ) { $0.value($1, in: language) }
    }

    /// Whose imports a caller sees: its own, where it is confined to a scope; `nil`: everybody's.
    private func beginner(of request: Request<AdminFront>) throws -> OperatorNumber? {
        let call = try operatorCall(of: request)
        return call.scope == nil ? nil : call.number
    }
}
