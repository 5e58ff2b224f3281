internal import Push
internal import StoreCore

// Many changes of the directory at once.

extension NodePort {
    func keep(_ part: ImportPart, of id: ImportID) async throws(StoreError) {
        try await ask { node throws(StoreError) in try await node.keep(part, of: id) }
    }

    func run(
        _ id: ImportID, last part: ImportPart, patience: Duration, by call: OperatorCall
    ) async throws(StoreError) -> ImportReport {
        try await ask { node throws(StoreError) in try await node.run(id, last: part, patience: patience, by: call) }
    }

    func abandon(_ id: ImportID) { node.enter { node in node.work { await $0.abandon(id) } } }

    func importReport(_ id: ImportID, by operator: OperatorNumber?) async throws(StoreError) -> ImportReport {
        try await ask { node throws(StoreError) in try await node.importReport(id, by: `operator`) }
    }

    func imports(
        by operator: OperatorNumber?, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<ImportReport> {
        try await ask { node throws(StoreError) in try await node.imports(by: `operator`, after: after, limit: limit) }
    }
}
