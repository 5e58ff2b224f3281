internal import Push
internal import Web

/// `POST /psp/admin/import`: many changes of the directory in one call, a line each.
extension AdminFront {
    /// How many lines the store is handed at once; it applies them in slices of its own.
    private static var linesAtOnce: Int { 1000 }
    /// The longest line, in bytes: as the body of the PUT that says the same.
    private static var longestLine: Int { 64 << 10 }

    /// Lines apply in order, each alone. The loop has other work: lines are read in slices, and between two of them it turns.
    ///
    /// A store that stops taking changes half-way is answered as it says (2302, 2901); the counts beside the code say what was
    /// done before. To import the same lines again is safe.
    func importLines(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        try request.refuseEncodedBody()
        var report = ImportReport()
        var batch: [(line: Int, change: Result<DirectoryChange, Refusal>)] = []
        var reader = LineReader(request.slices())
        do {
            while let line = reader.next() {
                batch.append((line.number, Result { () throws(Refusal) in try Self.change(line.bytes) }))
                if batch.count == Self.linesAtOnce { try await apply(&batch, to: &report) }
                if loop.turnExceeded { await loop.nextTurn() }
            }
            try await apply(&batch, to: &report)
        } catch {
            return .failure(error, for: request.headers) { report.write(to: &$0, in: request.headers.language) }
        }
        return .success { json in json.object { report.write(to: &$0, in: request.headers.language) } }
    }

    private static func change(_ line: ArraySlice<UInt8>) throws(Refusal) -> DirectoryChange {
        guard line.count <= longestLine else { throw Refusal(.requestTooLarge, .limit(longestLine, .line)) }
        return try DirectoryDecoder.importLine(Array(line))
    }

    /// Applies the lines that could be read and counts all, in the order of the lines.
    private func apply(
        _ batch: inout [(line: Int, change: Result<DirectoryChange, Refusal>)], to report: inout ImportReport
    ) async throws(StoreError) {
        var changes: [DirectoryChange] = []
        for case (_, .success(let change)) in batch { changes.append(change) }
        var results = (changes.isEmpty ? [] : try await store.apply(changes)).makeIterator()
        for (line, change) in batch {
            switch change {
            case .failure(let refusal): report.count(.failure(refusal), line: line)
            case .success:
                guard let result = results.next() else { throw .unknown }
                report.count(result, line: line)
            }
        }
        batch.removeAll(keepingCapacity: true)
    }
}
