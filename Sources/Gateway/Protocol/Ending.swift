internal import Libevent
internal import MQTT
internal import Push

/// How a connection ends.
struct Ending: Error, Equatable {
    /// The last packet, if the peer's version has one for this.
    var lastPacket: [UInt8] = []
    /// For the log.
    var cause: String
    /// Whether the peer has broken a rule.
    var isFault = false
    /// Why a CONNECT is refused, where one is.
    var refusal: ConnectRefusalReason?

    init(lastPacket: [UInt8] = [], cause: String, isFault: Bool = false, refusal: ConnectRefusalReason? = nil) {
        self.lastPacket = lastPacket
        self.cause = cause
        self.isFault = isFault
        self.refusal = refusal
    }

    /// The peer has gone, or says that it does.
    static let byPeer = Ending(cause: "closed by the device")

    /// The socket has ended.
    init(_ reason: Connection.CloseReason) {
        switch reason {
        case .insecure(let failure): self.init(cause: "TLS: \(failure)", isFault: true)
        case .unidentified(.malformed):
            self.init(cause: "a trusted proxy sends no header of the PROXY protocol", isFault: true)
        case .unidentified(.missing):
            self.init(cause: "a trusted proxy sends no header of the PROXY protocol in time", isFault: true)
        case .endOfStream, .failed, .closed: self = .byPeer
        }
    }

    /// A connection that was accepted ends: DISCONNECT in 5.0, nothing in 3.1.1, where a server has no such packet.
    static func disconnect(_ reason: ReasonCode, _ version: ProtocolVersion, cause: String, isFault: Bool = false) -> Ending {
        var bytes: [UInt8] = []
        if version == .v5 { Packet.disconnect(Disconnect(reasonCode: reason)).encode(version: version, into: &bytes) }
        return Ending(lastPacket: bytes, cause: cause, isFault: isFault)
    }

    /// A CONNECT is refused, with CONNACK.
    static func refuse(
        _ reason: ReasonCode, _ version: ProtocolVersion, _ refusal: ConnectRefusalReason, cause: String, isFault: Bool = false
    ) -> Ending {
        var bytes: [UInt8] = []
        Packet.connack(Connack(reasonCode: reason)).encode(version: version, into: &bytes)
        return Ending(lastPacket: bytes, cause: cause, isFault: isFault, refusal: refusal)
    }

    /// The store wants the session closed.
    static func closed(_ reason: DisconnectReason, _ version: ProtocolVersion) -> Ending {
        switch reason {
        case .takenOver: .disconnect(.sessionTakenOver, version, cause: "taken over by another connection")
        case .requested: .disconnect(.administrativeAction, version, cause: "an operator wants it")
        case .withdrawn:
            .disconnect(.administrativeAction, version, cause: "device deleted, given to another holder or its secret changed")
        }
    }

    /// The bytes are no packet, or one that may not be sent.
    /// - Parameter isAccepted: whether the client has been accepted. Before, it is CONNACK that tells a 5.0 client (MQTT 5.0
    ///   §4.13.1).
    static func violation(_ error: MQTTError, isAccepted: Bool) -> Ending {
        switch error {
        case .unsupportedVersion(let version):
            return Ending(lastPacket: version.refusal, cause: error.description, isFault: true, refusal: .version)
        case .violation(_, _, .v5) where isAccepted:
            return .disconnect(error.reasonCode, .v5, cause: error.description, isFault: true)
        case .violation(_, _, .v5):
            return .refuse(error.reasonCode, .v5, .malformed, cause: error.description, isFault: true)
        case .packetBeforeConnect, .violation:
            return Ending(cause: error.description, isFault: true)
        }
    }
}
