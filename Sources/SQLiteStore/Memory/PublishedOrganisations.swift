internal import Base
internal import Push
internal import StoreCore

/// Organisations as they are committed, for whoever looks: read by any thread, so that nobody who looks asks the writer.
final class PublishedOrganisations: Sendable {
    private struct State: Sendable {
        var byNumber: [UInt32: Organisation] = [:]
        var numbers: [OrgID: UInt32] = [:]
    }

    private let state = Locked(State())

    func organisation(_ id: OrgID) -> Organisation? {
        state.withLock { state in state.numbers[id].flatMap { state.byNumber[$0] } }
    }

    /// Those of them that there are.
    func organisations(_ numbers: [UInt32]) -> [Organisation] {
        state.withLock { state in numbers.compactMap { state.byNumber[$0] } }
    }

    /// Shows what has changed in a tree. Writer only, after a commit and before anybody is told of it.
    func publish(_ tree: OrgTree) {
        let touched = tree.removeTouched()
        guard !touched.isEmpty else { return }
        state.withLock { state in
            for org in touched {
                guard let node = tree[org] else {
                    guard let gone = state.byNumber.removeValue(forKey: org), state.numbers[gone.id] == org else { continue }
                    state.numbers[gone.id] = nil
                    continue
                }
                state.numbers[node.id] = org
                state.byNumber[org] = Organisation(
                    id: node.id, name: node.name, parent: node.parent.flatMap { tree[$0]?.id }, devices: node.subtree.devices,
                    online: node.online)
            }
        }
    }
}
