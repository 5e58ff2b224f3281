public import Push

/// How operators have single devices, users, apps and addresses traced.
public struct TraceControl: Sendable {
    /// Begins a trace of so many minutes.
    public var begin: @Sendable (TraceSubject, _ minutes: Int64) async -> Trace?
    /// Ends one; says whether it ran.
    public var end: @Sendable (_ id: String) async -> Bool
    /// What is told of them.
    public var tracer: Tracer

    /// A process that traces so.
    public init(
        tracer: Tracer, begin: @escaping @Sendable (TraceSubject, _ minutes: Int64) async -> Trace?,
        end: @escaping @Sendable (_ id: String) async -> Bool
    ) {
        self.tracer = tracer
        self.begin = begin
        self.end = end
    }
}
