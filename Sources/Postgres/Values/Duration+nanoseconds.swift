extension Duration {
    /// As a time for deadlines, of ten years at most.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = min(self, .seconds(10 * 366 * 86_400)).components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
