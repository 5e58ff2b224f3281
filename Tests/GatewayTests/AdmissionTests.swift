import MQTT
import Push
import Testing

@testable import Gateway

private let configuration = GatewayConfiguration()

private func connect(_ version: ProtocolVersion, _ change: (inout Connect) -> Void = { _ in }) -> Packet {
    var connect = Connect(version: version, clientIdentifier: "c", userName: "d1", password: Array("s".utf8))
    change(&connect)
    return .connect(connect)
}

private func refusal(_ reason: ReasonCode, _ version: ProtocolVersion) -> [UInt8] {
    var bytes: [UInt8] = []
    Packet.connack(Connack(reasonCode: reason)).encode(version: version, into: &bytes)
    return bytes
}

/// How the connection ends when that packet is the first; `nil` where the store is asked.
private func ending(_ packet: Packet) -> Ending? {
    do throws(Ending) {
        _ = try Admission(packet)
        return nil
    } catch {
        return error
    }
}

@Suite("CONNECT")
struct AdmissionTests {
    @Test("is put to the store with the token, the secret and what the client takes")
    func attach() throws {
        let admission = try Admission(
            connect(.v5) {
                $0.keepAlive = 30
                $0.properties.receiveMaximum = 5
                $0.properties.maximumPacketSize = 900
            })
        #expect(admission.token == DeviceToken(unchecked: "d1"))
        #expect(admission.secret == Array("s".utf8))
        #expect(admission.keepAlive == 30)
        #expect(admission.receiveMaximum == 5)
        #expect(admission.maximumPacketSize == 900)
    }

    @Test("without credentials, or with a user name that cannot be a token, is refused: 0x05 in 3.1.1, 0x87 in 5.0")
    func credentials() {
        let faults: [(inout Connect) -> Void] = [
            {
                $0.userName = nil; $0.password = nil
            }, { $0.password = nil }, { $0.userName = "no token!" }, { $0.userName = "" },
        ]
        for fault in faults {
            for (version, expected) in [(ProtocolVersion.v311, UInt8(0x05)), (.v5, 0x87)] {
                let ending = ending(connect(version, fault))
                #expect(ending?.lastPacket.dropFirst(3).first == expected)
                #expect(ending?.refusal != nil)
            }
        }
    }

    @Test("with an authentication method is refused with 0x8C, before its credentials are looked at")
    func authenticationMethod() {
        let packet = connect(.v5) {
            $0.properties.authenticationMethod = "SCRAM"
            $0.userName = nil
            $0.password = nil
        }
        #expect(ending(packet)?.lastPacket == refusal(.badAuthenticationMethod, .v5))
    }

    @Test("of another version is refused in words that its client may understand")
    func version() {
        for (name, level, expected) in [("MQIsdp", UInt8(3), UInt8(0x01)), ("MQTT", 6, 0x84)] {
            let error = MQTTError.unsupportedVersion(UnsupportedVersion(protocolName: name, level: level))
            #expect(Ending.violation(error, isAccepted: false).lastPacket.dropFirst(3).first == expected)
        }
    }

    @Test("malformed is told a 5.0 client by CONNACK, and 3.1.1 not at all")
    func malformed() {
        let newer = MQTTError.violation(.connectReservedFlag, packet: .connect, version: .v5)
        #expect(Ending.violation(newer, isAccepted: false).lastPacket == refusal(.malformedPacket, .v5))
        let older = MQTTError.violation(.connectReservedFlag, packet: .connect, version: .v311)
        #expect(Ending.violation(older, isAccepted: false).lastPacket == [])
    }

    @Test("what the store refuses is told by CONNACK")
    func refused() throws {
        let expected: [(ConnectRefusal, UInt8, UInt8)] = [
            (ConnectRefusal(AttachError.unknownDevice), 0x05, 0x87), (ConnectRefusal(AttachError.wrongSecret), 0x05, 0x87),
            (ConnectRefusal(AttachError.takenOver), 0x03, 0x88), (ConnectRefusal(AttachError.unavailable), 0x03, 0x88),
            (ConnectRefusal(DisconnectReason.withdrawn), 0x05, 0x87), (ConnectRefusal(DisconnectReason.takenOver), 0x03, 0x88),
        ]
        for (refusal, v311, v5) in expected {
            for (version, code) in [(ProtocolVersion.v311, v311), (.v5, v5)] {
                let ending = try Admission(connect(version)).refuse(refusal)
                #expect(ending.lastPacket.dropFirst(3).first == code, "\(refusal) \(version)")
            }
        }
    }

    @Test(
        "an empty client identifier: 5.0 gets the token, 3.1.1 with clean session 0 gets 0x02 once its secret is found right"
    )
    func clientIdentifier() throws {
        let newer = try Admission(connect(.v5) { $0.clientIdentifier = "" })
        guard case .connack(let connack) = try newer.accept(configuration) else {
            Issue.record("no CONNACK")
            return
        }
        #expect(connack.properties.assignedClientIdentifier == "d1")

        let older = try Admission(
            connect(.v311) {
                $0.clientIdentifier = ""
                $0.cleanStart = false
            })
        let ending = #expect(throws: Ending.self) { try older.accept(configuration) }
        #expect(ending?.lastPacket == [0x20, 2, 0, 2])
    }

    @Test("CONNACK of 5.0 says what there is not, and Session Expiry Interval 0 only to who asked for more")
    func connack() throws {
        for (asked, told) in [(UInt32?.none, UInt32?.none), (0, nil), (60, 0), (.max, 0)] {
            let admission = try Admission(connect(.v5) { $0.properties.sessionExpiryInterval = asked })
            var expected = Connack.Properties()
            expected.sessionExpiryInterval = told
            expected.receiveMaximum = 64
            expected.maximumPacketSize = 16_384
            expected.sharedSubscriptionAvailable = false
            expected.subscriptionIdentifiersAvailable = false
            let connack = Connack(sessionPresent: false, reasonCode: .success, properties: expected)
            #expect(try admission.accept(configuration) == .connack(connack))
        }
    }

    @Test("a client that takes no packet as large as CONNACK is left without one")
    func tinyPackets() throws {
        let admission = try Admission(connect(.v5) { $0.properties.maximumPacketSize = 8 })
        let ending = #expect(throws: Ending.self) { try admission.accept(configuration) }
        #expect(ending?.lastPacket == [])
        #expect(admission.refuse(ConnectRefusal(.serverUnavailable, .ending, "")).lastPacket.count == 5)

        let smaller = try Admission(connect(.v5) { $0.properties.maximumPacketSize = 4 })
        #expect(smaller.refuse(ConnectRefusal(.serverUnavailable, .ending, "")).lastPacket == [])
    }

    @Test("anything else first ends the connection without a word")
    func somethingElse() {
        #expect(Ending.violation(.packetBeforeConnect(.pingreq), isAccepted: false).lastPacket == [])
        #expect(ending(.pingreq)?.lastPacket == [])
    }
}
