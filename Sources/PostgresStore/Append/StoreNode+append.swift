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
        switch await timely(lane, Statements.append, { batch.append(to: &$0, usual: options.usualQuota) }) {
        case .rows(let rows):
            bell.ring()
            return (try? batch.answers(rows, directory.tasks)) ?? batch.pushes.map { _ in .unknown }
        case .tooLarge, .unknown: return batch.pushes.map { _ in .unknown }
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
