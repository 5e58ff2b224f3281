internal import Postgres
internal import Push
internal import StoreCore

/// What became of a batch's pushes, as `append_1` answers: `n, code, seq, a, b`.
extension PushBatch {
    /// The answer to each, in their order.
    func answers(_ rows: PostgresRows, _ tasks: TaskNumber) throws(PostgresShapeError) -> [Accepted] {
        guard rows.count == pushes.count else { throw .end }
        var answers: [Accepted] = []
        answers.reserveCapacity(pushes.count)
        for row in pushes.indices { answers.append(try answer(rows, row: row, code: 1, tasks)) }
        return answers
    }

    /// - Parameter column: the first of `code, seq, a, b`.
    func answer(
        _ rows: PostgresRows, row: Int, code column: Int, _ tasks: TaskNumber
    ) throws(PostgresShapeError) -> Accepted {
        guard let code = try rows.int4(row, column) else { throw .null }
        let seq = try rows.int8(row, column + 1).map { UInt64(bitPattern: $0) }
        switch (code, seq) {
        case (0, let seq?): return .stored(tasks.id(of: seq))
        case (1, let seq?): return .repeated(tasks.id(of: seq))
        case (0, nil), (1, nil): throw .null
        default:
            let details = (try rows.int8(row, column + 2) ?? 0, try rows.int8(row, column + 3))
            return .refused(refusal(pushes[row].request, Int(code), details.0, details.1))
        }
    }

    /// - Parameters:
    ///   - a: what the error's text needs first.
    ///   - b: and then.
    private func refusal(_ request: PushRequest, _ number: Int, _ a: Int64, _ b: Int64?) -> Refusal {
        let code = ErrorCode(rawValue: number) ?? .internalError
        switch code {
        case .unknownAppKey, .appDisabled, .interfaceNotAllowed: return Refusal(code, field: "appkey")
        case .badTimestamp: return Refusal(code, field: "timestamp", .timestamp(.forgotten, serverTime: a))
        case .wrongToken: return Refusal(code, field: "authorization", .signature(.replayed))
        case .outBizNoReused: return Refusal(code, field: "policy.out_biz_no")
        case .invalidValue: return Refusal(code, field: "policy.expire_time", .expected(.timeBetween(after: a, through: b)))
        case .rateLimited:
            let bound: PushQuota.Bound = a < 0 ? .perDay(Int(-a)) : .perSecond(Int(a))
            return Refusal(code, .overQuota(bound, retryAfter: b ?? 1_000))
        case .noSuchDevice, .userHasNoDevice, .noSuchOrganisation, .targetOutsideScope:
            return Refusal(code, field: request.target.field)
        case .payloadTooLarge:
            let platform: Platform = a == 0 ? .android : .ios
            return Refusal(code, field: "payload", .size(request.payload.measuredSize, limit: platform.payloadLimit, platform))
        default: return Refusal(code)
        }
    }
}
