import Base
import Testing

@testable import Push

@Suite("What is traced")
struct TracerTests {
    private final class Told: Sendable {
        private let lines = Locked<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func note(_ event: TraceEvent?) {
            let line = event.map { "\($0.name) \($0.fields.map { "\($0.name)=\($0.value)" })" } ?? "end"
            lines.withLock { $0.append(line) }
        }
    }

    private let phone = DeviceToken(unchecked: "phone")
    private let tablet = DeviceToken(unchecked: "tablet")

    @Test("an event is told to those whose trace it concerns, until the trace ends")
    func concerned() throws {
        let tracer = Tracer()
        #expect(!tracer.isOn && tracer.traces.isEmpty)
        let address = try #require(IPAddress("10.0.0.8"))
        let subjects: [TraceSubject] = [
            .device(phone), .user(UserID(unchecked: "u"), devices: [tablet]), .app(AppKey(unchecked: "a")), .address(address),
        ]
        let told = subjects.map { _ in Told() }
        var ids: [String] = []
        for (subject, told) in zip(subjects, told) {
            let id = try #require(tracer.begin(subject, until: 60_000)).id
            ids.append(id)
            #expect(tracer.follow(id) { told.note($0) } != nil)
        }
        #expect(tracer.isOn && tracer.traces.map(\.id) == ids)
        let objects: [(String, TraceObject)] = [
            ("one", TraceObject(device: phone)), ("two", TraceObject(device: tablet)),
            ("three", TraceObject(user: UserID(unchecked: "u"), app: AppKey(unchecked: "a"))),
            ("four", TraceObject(device: phone, address: address)), ("none", TraceObject(app: AppKey(unchecked: "b"))),
        ]
        for (name, object) in objects {
            #expect(tracer.concerns(object) == (name != "none"))
            tracer.tell(name, about: object, at: 1, [("n", "1")])
        }
        for id in ids { #expect(tracer.end(id)) }
        #expect(!tracer.end(ids[0]) && !tracer.isOn)
        #expect(tracer.follow(ids[0]) { _ in } == nil)
        tracer.tell("late", about: TraceObject(device: phone), at: 1, [])
        func lines(_ names: String...) -> [String] { names.map { "\($0) [\"n=1\"]" } + ["end"] }
        #expect(
            told.map(\.all) == [lines("one", "four"), lines("two", "three"), lines("three"), lines("four")])
    }

    @Test("too many events in a second are counted, and told as one in a later second")
    func limit() throws {
        let tracer = Tracer()
        let told = Told()
        let id = try #require(tracer.begin(.device(phone), until: 60_000)).id
        let follower = tracer.follow(id) { told.note($0) }
        let object = TraceObject(device: phone)
        for _ in 0..<Tracer.eventsASecond + 3 { tracer.tell("e", about: object, at: 1_500, []) }
        #expect(told.all.count == Tracer.eventsASecond)
        tracer.tell("f", about: object, at: 2_000, [])
        #expect(told.all.suffix(2) == ["left_out [\"events=3\"]", "f []"])
        if let follower { tracer.leave(follower) }
        tracer.tell("g", about: object, at: 2_001, [])
        #expect(told.all.last == "f []")
    }

    @Test("one more than there may be does not begin, and the others go on")
    func most() throws {
        let tracer = Tracer()
        let told = Told()
        let traces = (0..<Tracer.most).compactMap { _ in tracer.begin(.device(phone), until: 0) }
        _ = tracer.follow(traces[0].id) { told.note($0) }
        #expect(tracer.begin(.device(phone), until: 0) == nil)
        #expect(tracer.traces.map(\.id) == traces.map(\.id) && told.all.isEmpty)
        tracer.end(traces[1].id)
        #expect(tracer.begin(.device(phone), until: 0) != nil)
    }

    @Test("the body names one subject, and up to 60 minutes")
    func decoding() throws {
        func decoded(_ body: String) throws -> (TraceDecoder.Subject, Int64) {
            let (subject, minutes) = try TraceDecoder.decode(Array(body.utf8))
            return (subject, minutes)
        }
        #expect(try decoded(#"{"device_token":"phone"}"#) == (.device(phone), 10))
        #expect(try decoded(#"{"user_id":"u","minutes":60}"#) == (.user(UserID(unchecked: "u")), 60))
        #expect(try decoded(#"{"appkey":"a","minutes":1.0}"#) == (.app(AppKey(unchecked: "a")), 1))
        #expect(try decoded(#"{"address":"::1"}"#) == (.address(#require(IPAddress("::1"))), 10))
        let refused: [(String, ErrorCode, String?)] = [
            ("{}", .missingField, "device_token"), (#"{"minutes":5}"#, .missingField, "device_token"),
            (#"{"appkey":"a","user_id":"u"}"#, .invalidValue, nil), (#"{"address":"10.0.0"}"#, .invalidValue, "address"),
            (#"{"appkey":"a","minutes":0}"#, .invalidValue, "minutes"),
            (#"{"appkey":"a","minutes":61}"#, .invalidValue, "minutes"),
            (#"{"appkey":"a","minutes":1.5}"#, .invalidValue, "minutes"), (#"{"device":"a"}"#, .unsupportedField, "device"),
            ("[]", .invalidValue, nil), ("{", .invalidJSON, nil),
        ]
        for (body, code, field) in refused {
            #expect { _ = try decoded(body) } throws: { error in
                guard let refusal = error as? Refusal else { return false }
                return refusal.code == code && refusal.field == field
            }
        }
    }
}
