public import Libevent
public import Push

/// The store posts its feed and its answers to a loop as it posts anything else: in order, with one wake at most.
extension EventLoop: Mailbox {}
