internal import Synchronization

/// Whether loops are to tell what devices acknowledge. Set by the writer, read by any thread.
final class AcknowledgementGate: Sendable {
    private let open = Atomic(true)

    var isOpen: Bool {
        get { open.load(ordering: .relaxed) }
        set { open.store(newValue, ordering: .relaxed) }
    }
}
