internal import Synchronization

/// What the writer tells loops of acknowledgements: whether they are to tell more, and how many it could not count. Set by the
/// writer, read by any thread.
final class AcknowledgementGate: Sendable {
    private let open = Atomic(true)
    private let faults = Atomic(0)

    var isOpen: Bool {
        get { open.load(ordering: .relaxed) }
        set { open.store(newValue, ordering: .relaxed) }
    }

    /// Acknowledgements that are not counted, since what they name cannot be read or written: see ``Faults``.
    var uncounted: Int {
        get { faults.load(ordering: .relaxed) }
        set { faults.store(newValue, ordering: .relaxed) }
    }
}
