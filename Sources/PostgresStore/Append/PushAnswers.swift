internal import Postgres
internal import Push
internal import StoreCore

/// What became of a batch's pushes.
extension PushBatch {
    /// The answer to each, in their order, as `append_2` gives them: a row of arrays `code, seq, a, b`.
    func answers(_ rows: PostgresRows, _ tasks: TaskNumber) throws(PostgresShapeError) -> [Accepted] {
        guard rows.count == 1, var codes = try rows.array(0, 0, of: .int4), var seqs = try rows.array(0, 1, of: .int8),
            var a = try rows.array(0, 2, of: .int8), var b = try rows.array(0, 3, of: .int8), codes.count == pushes.count,
            seqs.count == codes.count, a.count == codes.count, b.count == codes.count
        else { throw .end }
        var answers: [Accepted] = []
        answers.reserveCapacity(pushes.count)
        for push in pushes {
            answers.append(try answer(to: push.request, try codes.int4(), try seqs.int8(), (try a.int8(), try b.int8()), tasks))
        }
        return answers
    }

    /// The answer to the only one, of a row that has `code, seq, a, b` from a column on.
    func answer(_ rows: PostgresRows, code column: Int, _ tasks: TaskNumber) throws(PostgresShapeError) -> Accepted {
        guard let push = pushes.first else { throw .end }
        let details = (try rows.int8(0, column + 2), try rows.int8(0, column + 3))
        return try answer(to: push.request, try rows.int4(0, column), try rows.int8(0, column + 1), details, tasks)
    }

    private func answer(
        to request: PushRequest, _ code: Int32?, _ seq: Int64?, _ details: (a: Int64?, b: Int64?), _ tasks: TaskNumber
    ) throws(PostgresShapeError) -> Accepted {
        switch (code, seq.map { UInt64(bitPattern: $0) }) {
        case (0, let seq?): return .stored(tasks.id(of: seq))
        case (1, let seq?): return .repeated(tasks.id(of: seq))
        case (nil, _), (0, nil), (1, nil): throw .null
        case (let code?, _): return .refused(refusal(request, Int(code), details.a ?? 0, details.b))
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
