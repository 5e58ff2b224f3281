internal import Postgres
internal import Push
internal import StoreCore

// Pushes: gathered, decided and stored by one call, answered.

extension StoreNode {
    func append(_ push: PendingPush) {
        guard !isClosing, number != 0 else { return answer(push, .unavailable(retryAfter: retryAfter)) }
        if pushes.add(push) { work { await $0.appendAll() } }
    }

    private func appendAll() async {
        while let batch = pushes.next({ PushBatch(takingFrom: &$0) }) {
            let call = PostgresCall(Statements.append, batch.arguments(usual: options.usualQuota), deadline: options.patience)
            let answers: [Accepted]
            switch await lane.call(call) {
            case .rows(let rows):
                bell.ring()
                answers = (try? batch.answers(rows, directory.tasks)) ?? batch.pushes.map { _ in .unknown }
            case .tooLarge, .unknown: answers = batch.pushes.map { _ in .unknown }
            case .failed(let error):
                options.log("pushes were refused by the database: \(error)")
                answers = batch.pushes.map { _ in .unavailable(retryAfter: retryAfter) }
            case .unavailable: answers = batch.pushes.map { _ in .unavailable(retryAfter: retryAfter) }
            }
            for (push, accepted) in zip(batch.pushes, answers) { outbox.answer(push.loop, { push.answer(accepted) }) }
            sendAnswers()
        }
    }

    private func answer(_ push: PendingPush, _ accepted: Accepted) {
        outbox.answer(push.loop, { push.answer(accepted) })
        sendAnswers()
    }
}
