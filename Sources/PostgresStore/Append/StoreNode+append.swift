internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// Pushes: gathered, decided and stored by one call, answered.

extension StoreNode {
    func append(_ push: PendingPush) {
        guard isServing else { return answer(push, .unavailable(retryAfter: retryAfter)) }
        if pushes.add(push) { work { await $0.appendAll() } } else { tellWaiting() }
    }

    private func appendAll() async {
        while let batch = pushes.next({ PushBatch(takingFrom: &$0) }) {
            tellWaiting()
            let begin = MonotonicClock.nanoseconds
            let answers = await decide(batch, since: begin)
            for (push, accepted) in zip(batch.pushes, answers) { outbox.answer(push.loop, { push.answer(accepted) }) }
            sendAnswers()
            let end = MonotonicClock.nanoseconds
            figures.record(batch.pushes.count, waited: end - (batch.pushes.first?.since ?? end), took: end - begin)
        }
        tellWaiting()
    }

    private func decide(_ batch: PushBatch, since begin: Int64) async -> [Accepted] {
        let outcome = await timely(lane, Statements.append) { arguments in
            arguments.append(int4: number)
            batch.append(to: &arguments, usual: options.usualQuota)
        }
        let answers = answers(to: batch, outcome, since: begin)
        judge(outcome, stored: answers.contains { if case .stored = $0 { true } else { false } })
        return answers
    }

    private func answers(to batch: PushBatch, _ outcome: PostgresOutcome, since begin: Int64) -> [Accepted] {
        switch outcome {
        case .rows(let rows):
            tellOthers(of: rows, after: MonotonicClock.nanoseconds - begin)
            bell.ring()
            return (try? batch.answers(rows, directory.tasks)) ?? batch.pushes.map { _ in .unknown }
        case .tooLarge, .unknown: return batch.pushes.map { _ in .unknown }
        // It may have been cancelled behind its first commit.
        case .failed(let error) where error.mayComeAfterCommit:
            tellSeldom("nobody knows whether pushes are stored", of: error.state, "\(error)")
            return batch.pushes.map { _ in .unknown }
        case .failed(let error):
            tellSeldom("pushes were refused by the database", of: error.state, "\(error)")
            return batch.pushes.map { _ in .unavailable(retryAfter: retryAfter) }
        case .unavailable: return batch.pushes.map { _ in .unavailable(retryAfter: retryAfter) }
        }
    }

    /// How long the log rests, in milliseconds, or a batch is hidden, in nanoseconds, until other nodes may look at it seldom.
    private static let (restful, hidden): (Int64, Int64) = (20, 100_000_000)

    /// While the log goes on the other nodes look at it by themselves, as `ring_bell` has it.
    private func tellOthers(of rows: PostgresRows, after time: Int64) {
        let rest = (try? rows.int8(0, 4)) ?? nil
        guard time > Self.hidden || rest ?? .max > Self.restful else { return }
        work { node in _ = await node.own.call(PostgresCall(Statements.ring, PostgresArguments())) }
    }

    private func tellWaiting() { figures.wait(pushes.waiting.count, since: pushes.waiting.first?.since) }

    private func answer(_ push: PendingPush, _ accepted: Accepted) {
        outbox.answer(push.loop, { push.answer(accepted) })
        sendAnswers()
    }
}

extension PostgresError {
    /// Whether `append_2` may fail so when its pushes are in the log: it could not wait for the standby, or was cancelled.
    fileprivate var mayComeAfterCommit: Bool { state == "PSUNK" || state == .queryCanceled || state == "53200" }
}
