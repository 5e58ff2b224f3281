import MQTT
import Push
import TestKit
import Testing

@testable import Gateway

@Suite("Receipts over sockets")
struct ReceiptTests {
    private func receipt(_ task: TaskID, _ qos: QoS, _ packetID: UInt16?) -> Packet {
        .publish(
            Publish(
                topic: "psp/push/receipt", payload: Array("{\"task_id\":\"\(task)\",\"event\":\"opened\"}".utf8), qos: qos,
                packetID: packetID))
    }

    @Test("QoS 0, 1 and 2 are committed, and answered in order when they are")
    func committed() async throws {
        try await GatewayFixture.run { gateway in
            let row = gateway.push("a")
            let device = try await gateway.connect(version: .v5)
            _ = try await device.takeMessages(1)
            gateway.store.behave { $0.holdsReceipts = true }
            await device.send(
                receipt(row.task, .exactlyOnce, 1), receipt(row.task, .atMostOnce, nil), receipt(row.task, .atLeastOnce, 2))
            await device.send(receipt(TaskID("another"), .atLeastOnce, 3))
            try await gateway.until("they are committed") { gateway.store.calls.receipts.count == 4 }
            try await device.expectNothing()
            gateway.store.releaseReceipts()
            #expect(try await device.next() == .pubrec(Acknowledgement(packetID: 1)))
            #expect(try await device.next() == .puback(Acknowledgement(packetID: 2)))
            #expect(try await device.next() == .puback(Acknowledgement(packetID: 3, reasonCode: .notAuthorized)))
            await device.send(.pubrel(Acknowledgement(packetID: 1)))
            #expect(try await device.next() == .pubcomp(Acknowledgement(packetID: 1)))
        }
    }

    @Test("a receipt that cannot be committed is not answered: the device is sent away to tell it again")
    func notCommitted() async throws {
        try await GatewayFixture.run { gateway in
            let row = gateway.push("a")
            let device = try await gateway.connect(version: .v5)
            _ = try await device.takeMessages(1)
            gateway.store.behave { $0.isUnavailable = true }
            await device.send(receipt(row.task, .atLeastOnce, 1))
            #expect(try await device.next() == .disconnect(Disconnect(reasonCode: .serverBusy)))
            try await device.waitForClose()
        }
    }

    @Test("a flood of receipts at QoS 1 by 3.1.1 is read as fast as it is committed")
    func flood() async throws {
        try await GatewayFixture.run { gateway in
            let row = gateway.push("a")
            let device = try await gateway.connect()
            _ = try await device.takeMessages(1)
            for packetID in UInt16(1)...2_000 { await device.send(receipt(row.task, .atLeastOnce, packetID)) }
            for packetID in UInt16(1)...2_000 { #expect(try await device.next() == .puback(Acknowledgement(packetID: packetID))) }
        }
    }

    @Test(
        "a flood of receipts at QoS 0, which nobody waits for, is read no faster than it is committed",
        arguments: [ProtocolVersion.v311, .v5])
    func silentFlood(version: ProtocolVersion) async throws {
        try await GatewayFixture.run(devices: ["d1", "d2"], GatewayConfiguration(receiveMaximum: 8)) { gateway in
            let row = gateway.push("a")
            let device = try await gateway.connect(version: version)
            _ = try await device.takeMessages(1)
            gateway.store.behave { $0.holdsReceipts = true }
            for _ in 1...500 { await device.send(receipt(row.task, .atMostOnce, nil)) }
            try await gateway.until("some are committed") { gateway.store.calls.receipts.count == 8 }
            // Whoever else is on the loop is served meanwhile.
            try await gateway.connect("d2").expectNothing()
            #expect(gateway.store.calls.receipts.count == 8)
            gateway.store.releaseReceipts()
            try await gateway.until("all are committed") { gateway.store.calls.receipts.count == 500 }
            await device.send(.pingreq)
            #expect(try await device.next() == .pingresp)
        }
    }

    @Test("receipts at QoS 0 that cannot be committed hold up nothing that comes after them")
    func silentFloodInVain() async throws {
        try await GatewayFixture.run(GatewayConfiguration(receiveMaximum: 2)) { gateway in
            let row = gateway.push("a")
            let device = try await gateway.connect()
            _ = try await device.takeMessages(1)
            gateway.store.behave { $0.isUnavailable = true }
            for _ in 1...20 { await device.send(receipt(row.task, .atMostOnce, nil)) }
            await device.send(.pingreq)
            #expect(try await device.next() == .pingresp)
        }
    }

    // MARK: How many in a minute

    /// The minute is over when the test says so.
    private static func allowance(_ count: Int) -> ReceiptAllowance {
        ReceiptAllowance(perMinute: count, minute: .seconds(1_000_000_000))
    }

    @Test("receipts up to the bound are taken at once, those beyond in the next minute, and none is lost")
    func receipts() async throws {
        var configuration = GatewayConfiguration()
        configuration.receipts = Self.allowance(3)
        try await GatewayFixture.run(configuration) { gateway in
            let device = try await gateway.connect()
            let row = gateway.push("hello")
            await device.acknowledge(try await device.message())
            await device.tell("opened", of: row.task, times: 3)
            try await gateway.until("three are taken") { await gateway.shards[0].counters.receipts == 3 }
            #expect(await gateway.shards[0].counters.postponements == 0)
            await device.tell("opened", of: row.task, times: 4)
            try await gateway.until("four wait") { await gateway.shards[0].receiptsThatWait == 4 }
            #expect(await gateway.shards[0].counters.postponements == 1)
            await gateway.shards[0].anotherMinuteBegins()
            #expect(await gateway.shards[0].counters.receipts == 6)
            #expect(await gateway.shards[0].receiptsThatWait == 1)
            await gateway.shards[0].anotherMinuteBegins()
            #expect(await gateway.shards[0].counters.receipts == 7)
            #expect(await gateway.shards[0].counters.sessions == 1)
        }
    }

    @Test("a device whose receipts wait is read on: its PUBACKs count, and its messages come")
    func readOn() async throws {
        var configuration = GatewayConfiguration()
        configuration.receipts = Self.allowance(1)
        configuration.window = 1
        try await GatewayFixture.run(configuration) { gateway in
            let device = try await gateway.connect()
            let row = gateway.push("first")
            let first = try await device.message()
            await device.tell("opened", of: row.task, times: 3)
            gateway.push("second")
            await device.acknowledge(first)
            await device.acknowledge(try await device.message())
            try await gateway.until("both are acknowledged") { await gateway.shards[0].counters.acknowledged == 2 }
            #expect(await gateway.shards[0].receiptsThatWait == 2)
        }
    }

    @Test("who has sent as many receipts as it may and comes back has sent them all the same, and what waited of it is taken")
    func receiptsOverConnections() async throws {
        var configuration = GatewayConfiguration()
        configuration.receipts = Self.allowance(2)
        try await GatewayFixture.run(configuration) { gateway in
            let row = gateway.push("hello")
            let device = try await gateway.connect()
            await device.acknowledge(try await device.message())
            await device.tell("opened", of: row.task, times: 3)
            try await gateway.until("one waits") { await gateway.shards[0].receiptsThatWait == 1 }
            await device.close()
            try await gateway.until("it has left") { await gateway.shards[0].counters.sessions == 0 }
            #expect(await gateway.shards[0].counters.receipts == 3)
            let again = try await gateway.connect()
            await again.tell("opened", of: row.task, times: 1)
            try await gateway.until("it waits") { await gateway.shards[0].receiptsThatWait == 1 }
        }
    }

    @Test("what a device has sent in a minute is forgotten with the minute, and not because another leaves")
    func book() {
        let allowance = ReceiptAllowance(perMinute: 2)
        let devices = (UInt32(1)...3).map { DeviceHandle(lane: MemoryLog.lane, ordinal: $0) }
        let minute = allowance.minute(600_000_000_000)
        #expect(minute == 10 && allowance.minute(659_999_999_999) == 10 && allowance.rest(659_000_000_000) == .seconds(1))
        allowance.leave(devices[0], having: 2, in: minute)
        allowance.leave(devices[1], having: 1, in: minute)
        allowance.leave(devices[2], having: 0, in: minute + 1)
        #expect(devices.map { allowance.sent(by: $0, in: minute) } == [2, 1, 0])
        #expect(allowance.sent(by: devices[0], in: minute + 1) == 0)
        allowance.leave(devices[1], having: 1, in: minute + 1)
        #expect(devices.map { allowance.sent(by: $0, in: minute + 1) } == [0, 1, 0])
    }

    @Test("thousands that have waited for the minute are taken a thousand at a time")
    func slices() async throws {
        var configuration = GatewayConfiguration(receiveMaximum: 1_000)
        configuration.receipts = Self.allowance(1_000)
        try await GatewayFixture.run(devices: ["d1", "d2", "d3"], configuration) { gateway in
            let row = gateway.pushToAll("hello")
            for (number, name) in ["d1", "d2", "d3"].enumerated() {
                let device = try await gateway.connect(name)
                await device.tell("opened", of: row.task, times: 1_000)
                try await gateway.until("as many as may are taken") {
                    await gateway.shards[0].counters.receipts == 1_000 * (UInt64(number) + 1)
                }
                await device.tell("opened", of: row.task, times: 800)
            }
            try await gateway.until("the rest waits") { await gateway.shards[0].receiptsThatWait == 2_400 }
            await gateway.shards[0].anotherMinuteBegins()
            #expect(await gateway.shards[0].receiptsThatWait == 800)
            try await gateway.until("all are taken by and by") { await gateway.shards[0].receiptsThatWait == 0 }
            #expect(await gateway.shards[0].counters.receipts == 5_400)
        }
    }
}

extension Shard {
    fileprivate var receiptsThatWait: Int { postponed.values.reduce(0) { $0 + $1.count } }
}

extension ScriptedDevice {
    /// Sends the same receipt so many times, at QoS 0.
    fileprivate func tell(_ event: String, of task: TaskID, times: Int) {
        let receipt = Array(#"{"task_id":"\#(task.text)","event":"\#(event)"}"#.utf8)
        for _ in 0..<times { send(.publish(Publish(topic: "psp/push/receipt", payload: receipt))) }
    }
}
