/// What a front wants to know of a request's headers, collected in one pass over them.
public protocol HeaderFields {
    /// Nothing has been seen yet.
    init()

    /// Sees one header, in the order and the spelling of the request. The bytes are valid inside the call only: nearly all
    /// headers are of no interest, so make values of the few that are.
    mutating func collect(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)
}
