import Testing

@testable import Gateway

@Suite("Which connection goes when there is no room")
struct SilentConnectionsTests {
    private final class Peer: PerhapsSilent {
        var isSilent = true
        var hasUnreadInput = false
    }

    @Test("the oldest that is silent, and never the one that has just come")
    func oldest() {
        var silent = SilentConnections<Peer>()
        let peers = (0..<4).map { _ in Peer() }
        for peer in peers { silent.append(peer) }
        peers[1].isSilent = false
        #expect(silent.removeOldest(besides: peers[3]) === peers[0])
        #expect(silent.removeOldest(besides: peers[3]) === peers[2])
        #expect(silent.removeOldest(besides: peers[3]) == nil)
    }

    @Test("one with unread input is passed over, and goes later if it has said nothing that counts")
    func unread() {
        var silent = SilentConnections<Peer>()
        let peers = (0..<3).map { _ in Peer() }
        for peer in peers { silent.append(peer) }
        peers[0].hasUnreadInput = true
        #expect(silent.removeOldest(besides: peers[2]) === peers[1])
        #expect(silent.removeOldest(besides: peers[2]) == nil)
        peers[0].hasUnreadInput = false
        #expect(silent.removeOldest(besides: peers[2]) === peers[0])
    }
}
