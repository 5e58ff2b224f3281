internal import CLibevent

// How long each part of a connection's life may take.

extension HTTPConnection {
    /// Its time is over, unless the peer has kept to it and nobody has looked yet.
    func deadlineHasCome() {
        if state == .idle, service?.limitRestOfIdleTime(of: self) == true { return }
        if isInTime() { return service?.limitTransferTime(of: self) ?? () }
        // The loop may be late, and not the peer: it looks once at what is in the socket by now.
        if state == .arriving, !hasBeenLate, link.transport.hasUnreadInput {
            hasBeenLate = true
            service?.limitLateTime(of: self)
        } else {
            service?.countTimeout(in: state)
            close()
        }
    }

    private func isInTime() -> Bool {
        switch state {
        // A request that has come, or is about to be read. Who closes now would drop it (RFC 9112 §9.5).
        case .idle: return link.transport.isEstablished && !isQuiet
        case .arriving where isHeadComplete:
            guard let service, service.restOfRequestTime(of: self) > 0 else { return false }
            let count = arrival.scan.evidence.hasTransferEncoding ? arrival.received : evbuffer_get_length(input)
            return hasProgressed(by: count - progressMark, to: count)
        case .answering:
            let (count, read) = (link.unsentCount, progressMark - link.unsentCount)
            guard read >= HTTPLimits.progressBytes else { return false }
            beginTransfer(of: count)
            return true
        case .arriving, .refused: return false
        // Neither has a deadline.
        case .waiting, .streaming: return true
        }
    }

    /// Whether the peer has had a second to read, and reads less than 64 KiB a second: the first to go from a full server.
    /// Elsewhere it has far longer.
    func isSlowReader(at now: Int64) -> Bool {
        let seconds = (now - since) / 1_000_000_000
        return seconds >= 1 && progressMark - link.unsentCount < HTTPLimits.progressBytes * Int(seconds)
    }

    private func hasProgressed(by count: Int, to mark: Int) -> Bool {
        progressMark = mark
        return count >= HTTPLimits.progressBytes
    }
}
