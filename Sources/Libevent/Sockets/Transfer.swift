/// What a call has come to that moves bytes between a socket and this process.
enum Transfer {
    /// So many bytes were moved; at least one.
    case moved(Int)
    /// Nothing can be done before the peer has sent more.
    case awaitsInput
    /// Nothing can be done before the system takes more.
    case awaitsRoom
    /// Nothing can be done any more.
    case ended(Connection.CloseReason)
}
