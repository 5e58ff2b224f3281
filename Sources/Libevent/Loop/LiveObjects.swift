internal import Base

/// How many objects that C holds are alive, in debug builds: a test that ends with more than it began with has found a leak.
enum LiveObjects {
    #if DEBUG
        private static let counts = Locked<[ObjectIdentifier: Int]>([:])
    #endif

    @inline(__always)
    static func count(of type: Any.Type, by change: Int) {
        #if DEBUG
            counts.withLock { $0[ObjectIdentifier(type), default: 0] += change }
        #endif
    }

    #if DEBUG
        /// How many of `type` are alive, on all loops.
        static func number(of type: Any.Type) -> Int { counts.withLock { $0[ObjectIdentifier(type), default: 0] } }
    #endif
}
