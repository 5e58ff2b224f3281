import Testing

@testable import Gateway

@Suite("Which connection goes when there is no room")
struct SilentConnectionsTests {
    private final class Peer: PerhapsSilent {
        var isSilent = true
        var isUnread = false
        private(set) var looks = 0

        var hasUnreadInput: Bool {
            looks += 1
            return isUnread
        }
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
        let peers = (0..<4).map { _ in Peer() }
        for peer in peers[..<3] { silent.append(peer) }
        peers[0].isUnread = true
        #expect(silent.removeOldest(besides: peers[2]) === peers[1])
        #expect(silent.removeOldest(besides: peers[2]) == nil)
        peers[0].isUnread = false
        silent.append(peers[3])
        #expect(silent.removeOldest(besides: peers[3]) === peers[2])
        #expect(silent.removeOldest(besides: peers[3]) === peers[0])
    }
    @Test("a crowd that has all spoken unread is not asked as a whole for each newcomer")
    func bounded() {
        var silent = SilentConnections<Peer>()
        let peers = (0..<1_000).map { _ in Peer() }
        for peer in peers {
            peer.isUnread = true
            silent.append(peer)
        }
        let last = Peer()
        silent.append(last)
        for _ in 0..<10 { #expect(silent.removeOldest(besides: last) == nil) }
        #expect(peers.reduce(0) { $0 + $1.looks } <= 640)
        // The next newcomer has others looked at.
        #expect(peers.allSatisfy { $0.looks <= 1 })
        peers[640].isUnread = false
        #expect(silent.removeOldest(besides: last) === peers[640])
    }
}
