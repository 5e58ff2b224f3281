import Base

/// A value that several tasks of a test look at.
final class Shared<Value: Sendable>: Sendable {
    private let content: Locked<Value>
    init(_ value: Value) { content = Locked(value) }
    var value: Value {
        get { content.withLock { $0 } }
        set { content.withLock { $0 = newValue } }
    }
}
