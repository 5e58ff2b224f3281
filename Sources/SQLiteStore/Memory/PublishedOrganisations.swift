internal import Base
internal import Push
internal import StoreCore

/// Organisations as they are committed, for whoever looks: read by any thread, so that nobody who looks asks the writer.
final class PublishedOrganisations: Sendable {
    private struct State: Sendable {
        var byNumber: [UInt32: Organisation] = [:]
        var numbers: [OrgID: UInt32] = [:]

        /// To who is confined to a scope there is nothing above it.
        func organisation(_ number: UInt32, within scope: OrgID?) -> Organisation? {
            guard var found = byNumber[number] else { return nil }
            guard let scope else { return found }
            guard isInside(number, scope) else { return nil }
            if found.id == scope { found.parent = nil }
            return found
        }

        func isInside(_ number: UInt32, _ scope: OrgID) -> Bool {
            var next = byNumber[number]
            while let current = next {
                if current.id == scope { return true }
                next = current.parent.flatMap { numbers[$0] }.flatMap { byNumber[$0] }
            }
            return false
        }
    }

    private let state = Locked(State())

    /// - Parameter scope: outside of which there is none.
    func organisation(_ id: OrgID, within scope: OrgID?) -> Organisation? {
        state.withLock { state in state.numbers[id].flatMap { state.organisation($0, within: scope) } }
    }

    /// Those of them that there are.
    func organisations(_ numbers: [UInt32], within scope: OrgID?) -> [Organisation] {
        state.withLock { state in numbers.compactMap { state.organisation($0, within: scope) } }
    }

    /// Whether an organisation is another one or below it.
    func isInside(_ org: UInt32, _ scope: OrgID) -> Bool { state.withLock { $0.isInside(org, scope) } }

    /// The same by its name.
    func isInside(_ id: OrgID, _ scope: OrgID) -> Bool {
        state.withLock { state in state.numbers[id].map { state.isInside($0, scope) } ?? false }
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
