/// The length of the write-ahead log after the last commit, in frames.
final class WALObserver {
    var frames = 0
}
