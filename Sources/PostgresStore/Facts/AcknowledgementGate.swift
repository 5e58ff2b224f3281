internal import Synchronization

/// Whether loops may tell of more acknowledgements. Read by every loop, set by the node.
final class AcknowledgementGate: Sendable {
    private let state = Atomic(true)
    var isOpen: Bool {
        get { state.load(ordering: .relaxed) }
        set { state.store(newValue, ordering: .relaxed) }
    }
}
