import Libevent
import MQTT
import Push
import TestKit
import Testing

@testable import Gateway

@Suite("Delivery over sockets")
struct DeliveryTests {
    @Test(
        "a connected device receives what is pushed, at QoS 1, and its PUBACK is counted", arguments: [ProtocolVersion.v311, .v5])
    func online(version: ProtocolVersion) async throws {
        try await GatewayFixture.run { gateway in
            let device = try await gateway.connect(version: version)
            let first = gateway.push("one")
            let message = try await device.message()
            #expect(message.topic == "psp/push/msg")
            #expect(message.qos == .atLeastOnce)
            #expect(!message.isDuplicate && !message.retain)
            #expect(message.text == "one")
            #expect(gateway.delivered() == [])
            await device.acknowledge(message)
            try await gateway.until("the PUBACK is counted") { gateway.delivered() == [first.position] }
        }
    }

    @Test("a PUBACK with a reason code or properties counts too, among others in one read")
    func longPuback() async throws {
        try await GatewayFixture.run { gateway in
            let device = try await gateway.connect(version: .v5)
            let rows = ["a", "b", "c"].map { gateway.push($0) }
            var pubacks: [Acknowledgement] = []
            for _ in rows { pubacks.append(Acknowledgement(packetID: try await device.message().packetID ?? 0)) }
            // Below 0x80 it is a success.
            pubacks[0].reasonCode = .noMatchingSubscribers
            pubacks[1].properties.reasonString = "read"
            await device.send(.puback(pubacks[0]), .puback(pubacks[2]), .puback(pubacks[1]), .pingreq)
            #expect(try await device.next() == .pingresp)
            try await gateway.until("they are counted") { gateway.delivered() == Set(rows.map(\.position)) }
        }
    }

    @Test("a PUBACK of 0x80 or above is no delivery: the message is rejected, with the code, and does not come again")
    func rejected() async throws {
        try await GatewayFixture.run { gateway in
            let device = try await gateway.connect(version: .v5)
            let rows = ["a", "b"].map { gateway.push($0) }
            let messages = [try await device.message(), try await device.message()]
            let rejection = Acknowledgement(packetID: messages[0].packetID ?? 0, reasonCode: .quotaExceeded)
            await device.send(.puback(rejection), .puback(rejection))
            await device.acknowledge(messages[1])
            try await gateway.until("both are settled") { gateway.delivered() == [rows[1].position] }
            let rejected = gateway.store.read { log in
                log.devices[DeviceToken(unchecked: "d1")].flatMap { log.rejected[$0.handle] }
            }
            #expect(rejected == [rows[0].position: 0x97])
            let counters = await gateway.shards[0].counters
            #expect(counters.rejected == 1 && counters.acknowledged == 1)
            let again = try await gateway.connect(version: .v5)
            try await again.expectNothing()
        }
    }

    @Test("a configuration comes on its own topic")
    func configuration() async throws {
        try await GatewayFixture.run { gateway in
            let device = try await gateway.connect()
            gateway.store.push(to: .device(DeviceToken(unchecked: "d1")), topic: .configuration, payload: Array("c".utf8))
            #expect(try await device.message().topic == "psp/push/config")
        }
    }

    @Test("a device that was offline receives what it missed, oldest first, and then what is new")
    func offline() async throws {
        try await GatewayFixture.run(devices: ["d1", "d2"]) { gateway in
            for index in 0..<50 {
                if index % 2 == 0 { gateway.push("\(index)") } else { gateway.pushToAll("\(index)") }
            }
            let device = try await gateway.connect()
            let missed = try await device.takeMessages(50)
            #expect(missed.map(\.text) == (0..<50).map { "\($0)" })
            gateway.push("new")
            #expect(try await device.takeMessages(1).map(\.text) == ["new"])
            try await device.expectNothing()
        }
    }

    @Test("what was not acknowledged comes again on the next connection; what was, does not")
    func again() async throws {
        try await GatewayFixture.run { gateway in
            for text in ["a", "b", "c", "d"] { gateway.push(text) }
            let first = try await gateway.connect()
            let messages = [
                try await first.message(), try await first.message(), try await first.message(), try await first.message(),
            ]
            await first.acknowledge(messages[0], messages[2])
            await first.send(.disconnect(Disconnect()))
            try await first.waitForClose()
            let second = try await gateway.connect()
            #expect(try await second.takeMessages(2).map(\.text) == ["b", "d"])
            try await second.expectNothing()
        }
    }

    @Test("a window of messages is sent, then as many as are acknowledged, in order and without loss")
    func window() async throws {
        try await GatewayFixture.run(GatewayConfiguration(window: 5)) { gateway in
            let device = try await gateway.connect()
            for index in 0..<40 { gateway.push("\(index)") }
            var messages: [Publish] = []
            while messages.count < 5 { messages.append(try await device.message()) }
            try await device.expectNothing()
            // The window counts from the oldest: what is acknowledged behind it makes no room.
            await device.acknowledge(messages[1], messages[2], messages[3], messages[4])
            try await device.expectNothing()
            await device.acknowledge(messages[0])
            let rest = try await device.takeMessages(35)
            #expect(rest.map(\.text) == (5..<40).map { "\($0)" })
            gateway.push("live")
            #expect(try await device.takeMessages(1).map(\.text) == ["live"])
            try await gateway.until("all are counted") { gateway.delivered().count == 41 }
        }
    }

    @Test("the client's Receive Maximum counts where it is smaller than the window")
    func receiveMaximum() async throws {
        try await GatewayFixture.run { gateway in
            for text in ["a", "b", "c"] { gateway.push(text) }
            let device = try await gateway.connect(version: .v5) { $0.properties.receiveMaximum = 2 }
            let messages = [try await device.message(), try await device.message()]
            try await device.expectNothing()
            await device.acknowledge(messages[0])
            #expect(try await device.message().text == "c")
        }
    }

    @Test("a message larger than the Maximum Packet Size is skipped and counted, in its turn")
    func tooLarge() async throws {
        try await GatewayFixture.run { gateway in
            let device = try await gateway.connect(version: .v5) { $0.properties.maximumPacketSize = 200 }
            gateway.push("small")
            let large = gateway.push("large", size: 400)
            gateway.push("after")
            #expect(try await device.takeMessages(2).map(\.text) == ["small", "after"])
            try await gateway.until("the store knows what was skipped") {
                gateway.store.read { log in
                    log.devices[DeviceToken(unchecked: "d1")].flatMap { log.skipped[$0.handle] } == [large.position]
                }
            }
            #expect(await gateway.shards[0].counters.skipped == 1)
        }
    }

    @Test("a task that ends between the reading of a page and its arrival is not sent")
    func endedInBetween() async throws {
        try await GatewayFixture.run { gateway in
            gateway.push("a")
            let withdrawn = gateway.push("b")
            gateway.push("c")
            gateway.store.behave { $0.holdsPages = true }
            let device = try await gateway.connect()
            try await gateway.until("the page is read") { gateway.store.calls.pages == 1 }
            gateway.store.commit { log in ((), [log.end(withdrawn.task)]) }
            gateway.store.releasePages()
            #expect(try await device.takeMessages(2).map(\.text) == ["a", "c"])
            try await device.expectNothing()
        }
    }

    @Test("after a gap in the feed nothing is lost and nothing comes twice")
    func gap() async throws {
        try await GatewayFixture.run { gateway in
            let device = try await gateway.connect()
            gateway.push("a")
            let first = try await device.message()
            gateway.store.leaveOut { log in
                _ = log.append(to: .device(DeviceToken(unchecked: "d1")), payload: Array("b".utf8))
            }
            let second = try await device.message()
            await device.acknowledge(first, second)
            gateway.push("c")
            #expect([first.text, second.text] == ["a", "b"])
            #expect(try await device.takeMessages(1).map(\.text) == ["c"])
            try await device.expectNothing()
        }
    }

    @Test("a groupcast to hundreds of devices reaches each of them once")
    func groupcast() async throws {
        var configuration = GatewayConfiguration()
        configuration.directSessions = 10
        let names = (0..<300).map { "g\($0)" }
        try await GatewayFixture.run(loops: 2, devices: names, configuration) { gateway in
            var devices: [ScriptedDevice] = []
            for (index, name) in names.enumerated() { devices.append(try await gateway.connect(name, loop: index % 2)) }
            gateway.pushToAll("one")
            gateway.push("own", to: "g299")
            gateway.pushToAll("two")
            for (index, device) in devices.enumerated() {
                let texts = try await device.takeMessages(index == 299 ? 3 : 2).map(\.text)
                #expect(texts == (index == 299 ? ["one", "own", "two"] : ["one", "two"]))
            }
            try await gateway.until("every PUBACK is counted") { names.allSatisfy { gateway.delivered($0).count >= 2 } }
            #expect(await gateway.shards[0].counters.published + gateway.shards[1].counters.published == 601)
        }
    }

    @Test("a peer that does not read gets a window and no more")
    func stalled() async throws {
        try await GatewayFixture.run { gateway in
            let device = try await gateway.connect()
            await device.setReading(false)
            for index in 0..<1_000 { gateway.push("\(index)", size: 1_000) }
            try await gateway.until("the window is full") { await gateway.shards[0].counters.published == 20 }
            await device.setReading(true)
            #expect(try await device.takeMessages(1_000).map(\.text) == (0..<1_000).map { "\($0)" })
        }
    }
}
