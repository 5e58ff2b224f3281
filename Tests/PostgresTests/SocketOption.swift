import Glibc

/// What the system says of a socket; nil: nothing.
func socketOption(_ descriptor: Int32, _ level: some BinaryInteger, _ name: Int32) -> Int32? {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(descriptor, Int32(level), name, &value, &length) == 0 ? value : nil
}
