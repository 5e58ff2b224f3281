internal import Libevent
internal import MQTT
internal import Push

/// What a CONNECT asks for, as far as it can be judged without the store.
///
/// The interface orders the checks: version, authentication method, credentials, client identifier. The codec has judged the
/// version.
struct Admission: Equatable {
    let token: DeviceToken
    let secret: [UInt8]
    /// What the device has shown; `nil` for none.
    let certificate: CertificateFingerprint?
    let version: ProtocolVersion
    /// Seconds; 0 is none.
    let keepAlive: UInt16
    /// Messages that the client takes unacknowledged.
    let receiveMaximum: Int
    /// The largest packet that the client takes, in bytes.
    let maximumPacketSize: Int
    /// 3.1.1 with an empty client identifier that wants an older session [MQTT-3.1.3-8]. Told only to a device that has shown
    /// its secret.
    let lacksClientIdentifier: Bool
    /// A 5.0 client that is told which client identifier it has: its token.
    let needsClientIdentifier: Bool
    /// A 5.0 client that wants its session to outlive the connection; it is told that it does not.
    let wantsLongerSession: Bool

    /// Judges the first packet of a connection.
    /// - Parameter certificate: what the device has shown; with one it may leave its secret away, where its record names it.
    init(_ packet: Packet, certificate: CertificateFingerprint? = nil) throws(Ending) {
        guard case .connect(let connect) = packet else { throw Ending(cause: "no CONNECT", isFault: true) }
        version = connect.version
        maximumPacketSize = connect.properties.maximumPacketSize.map(Int.init) ?? .max
        guard connect.properties.authenticationMethod == nil else {
            throw .refuse(
                version, ConnectRefusal(.badAuthenticationMethod, .authenticationMethod, "an authentication method"),
                maximumPacketSize)
        }
        guard let userName = connect.userName, let token = DeviceToken(userName) else {
            throw .refuse(
                version, ConnectRefusal(.notAuthorized, .credentials, "a user name that is no device token"), maximumPacketSize)
        }
        guard let secret = connect.password ?? certificate.map({ _ in [] }) else {
            throw .refuse(version, ConnectRefusal(.notAuthorized, .credentials, "no password"), maximumPacketSize)
        }
        self.token = token
        self.secret = secret
        self.certificate = certificate
        keepAlive = connect.keepAlive
        receiveMaximum = Int(connect.properties.receiveMaximum ?? .max)
        lacksClientIdentifier = version == .v311 && connect.clientIdentifier.isEmpty && !connect.cleanStart
        needsClientIdentifier = version == .v5 && connect.clientIdentifier.isEmpty
        wantsLongerSession = connect.properties.sessionExpiryInterval ?? 0 > 0
    }

    /// The CONNACK for a client that the store has accepted.
    func accept(_ configuration: GatewayConfiguration) throws(Ending) -> Packet {
        guard !lacksClientIdentifier else {
            throw refuse(
                ConnectRefusal(.clientIdentifierNotValid, .clientIdentifier, "an older session without a client identifier"))
        }
        let packet = Packet.connack(connack(configuration))
        guard maximumPacketSize == .max || packet.encodedSize(version: version) <= maximumPacketSize else {
            // Nothing larger may be sent, not even to say so [MQTT-3.1.2-24].
            throw Ending(cause: "CONNACK exceeds the device's Maximum Packet Size", isFault: true)
        }
        return packet
    }

    /// Judges the certificate that the device has shown, if it has: it stands beside the secret, and must be made out to it.
    /// - Parameter now: seconds of Unix time. A session that was taken up may have outlived the certificate.
    func check(_ certificate: TLSPeerCertificate?, now: Int64) throws(Ending) {
        guard let certificate else { return }
        guard certificate.isNamed(token.text) else {
            throw refuse(ConnectRefusal(.notAuthorized, .certificate, "a certificate that is not made out to the device token"))
        }
        guard let expiry = certificate.description?.expiry, expiry > now else {
            throw refuse(ConnectRefusal(.notAuthorized, .certificate, "a certificate that has expired"))
        }
    }

    /// How the connection ends when the CONNECT is refused.
    func refuse(_ refusal: ConnectRefusal) -> Ending { .refuse(version, refusal, maximumPacketSize) }

    private func connack(_ configuration: GatewayConfiguration) -> Connack {
        var properties = Connack.Properties()
        properties.sessionExpiryInterval = wantsLongerSession ? 0 : nil
        properties.receiveMaximum = UInt16(configuration.receiveMaximum)
        properties.maximumPacketSize = UInt32(configuration.maximumPacketSize)
        properties.assignedClientIdentifier = needsClientIdentifier ? token.text : nil
        properties.subscriptionIdentifiersAvailable = false
        properties.sharedSubscriptionAvailable = false
        return Connack(properties: properties)
    }
}

/// Why a CONNECT is refused: as CONNACK says it, and as the log does. The log tells an unknown token from a wrong secret; the
/// peer is told neither, or it could look for tokens.
struct ConnectRefusal: Equatable {
    let reasonCode: ReasonCode
    /// As it is counted.
    let reason: ConnectRefusalReason
    /// For the log only, in the server's own words.
    let cause: String

    init(_ reasonCode: ReasonCode, _ reason: ConnectRefusalReason, _ cause: String) {
        self.reasonCode = reasonCode
        self.reason = reason
        self.cause = cause
    }

    /// The store refuses. `takenOver` cannot be told as such, for CONNACK has no 0x8E (MQTT 5.0 §3.2.2.2): the client may try
    /// again, and then be the last.
    init(_ error: AttachError) {
        switch error {
        case .unknownDevice: self.init(.notAuthorized, .unknownDevice, "unknown device token")
        case .wrongSecret: self.init(.notAuthorized, .wrongSecret, "wrong secret")
        case .takenOver: self.init(.serverUnavailable, .takenOver, "taken over by another connection")
        case .unavailable: self.init(.serverUnavailable, .unavailable, "the store cannot be asked")
        }
    }

    /// The store has accepted the device, and wants its session closed before the client was told.
    init(_ reason: DisconnectReason) {
        switch reason {
        case .withdrawn: self.init(.notAuthorized, .withdrawn, "device deleted, given to another holder or its secret changed")
        case .takenOver: self.init(.serverUnavailable, .takenOver, "taken over by another connection")
        case .requested: self.init(.serverUnavailable, .requested, "an operator wants it")
        }
    }
}

extension Ending {
    fileprivate static func refuse(_ version: ProtocolVersion, _ refusal: ConnectRefusal, _ maximumPacketSize: Int) -> Ending {
        let code = String(refusal.reasonCode.rawValue, radix: 16)
        var ending = Ending.refuse(
            refusal.reasonCode, version, refusal.reason, cause: "CONNECT refused, 0x\(code): \(refusal.cause)")
        // Nothing larger may be sent, not even to say so [MQTT-3.1.2-24].
        if ending.lastPacket.count > maximumPacketSize { ending.lastPacket = [] }
        return ending
    }
}
