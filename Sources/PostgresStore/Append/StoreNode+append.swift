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
            let answers = await decide(batch)
            for (push, accepted) in zip(batch.pushes, answers) { outbox.answer(push.loop, { push.answer(accepted) }) }
            sendAnswers()
            let end = MonotonicClock.nanoseconds
            figures.record(batch.pushes.count, waited: end - (batch.pushes.first?.since ?? end), took: end - begin)
        }
        tellWaiting()
    }

    private func decide(_ batch: PushBatch) async -> [Accepted] {
        let outcome = await timely(lane, Statements.append) { arguments in
            arguments.append(int4: number)
            batch.append(to: &arguments, usual: options.usualQuota)
        }
        switch outcome {
        case .rows(let rows):
            readSoon()
            return (try? batch.answers(rows, directory.tasks)) ?? batch.pushes.map { _ in .unknown }
        case .tooLarge, .unknown: return batch.pushes.map { _ in .unknown }
        // It may have been cancelled behind its first commit.
        case .failed(let error) where error.state == .isStored || error.state == .queryCanceled:
            options.log("nobody knows whether pushes are stored: \(error)")
            return batch.pushes.map { _ in .unknown }
        case .failed(let error):
            options.log("pushes were refused by the database: \(error)")
            return batch.pushes.map { _ in .unavailable(retryAfter: retryAfter) }
        case .unavailable: return batch.pushes.map { _ in .unavailable(retryAfter: retryAfter) }
        }
    }

    private func tellWaiting() { figures.wait(pushes.waiting.count, since: pushes.waiting.first?.since) }

    private func answer(_ push: PendingPush, _ accepted: Accepted) {
        outbox.answer(push.loop, { push.answer(accepted) })
        sendAnswers()
    }
}

extension SQLState {
    /// What `append_2` raises when pushes are in the log, and it could not wait for the standby.
    fileprivate static let isStored: SQLState = "PSUNK"
}
