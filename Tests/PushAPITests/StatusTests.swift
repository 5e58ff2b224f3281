import Base
import JSON
import Push
import Testing

@testable import PushAPI

@Suite("What the server tells of itself")
struct StatusTests {
    @Test("the status: loops and their sum, rates, backlog, store, disk, clock, imports")
    func whole() async throws {
        var loop = LoopStatus()
        loop.devices.connections = 3
        loop.devices.sessions = 2
        loop.devices.published = 100
        loop.devices.acknowledged = 90
        loop.devices.rejected = 2
        loop.devices.abandoned = 3
        loop.pushes[.message].stored = 5
        loop.pushes[.configuration].stored = 2
        loop.callers = 1
        var late = loop
        late.devices.untaken = 3
        late.isLate = true
        var holds = HoldTimes()
        holds.record(.commit, 12_345_678)
        var rates = TrafficRates()
        rates.lastTenSeconds.pushes = 1.25
        rates.lastMinute.deliveries = 20
        var status = ServerStatus(
            node: NodeName(host: "psp-1"), startedAt: noon, uptime: 5_000, loops: [loop, late], rates: rates,
            store: StoreStatus(health: .serving, waiting: 4, longestWait: 7_654_321, uncounted: 2), holdTimes: holds,
            storage: StorageUse(database: 4_096, log: 8_192, logAge: 0, free: 1 << 40),
            clock: ClockState(storeTime: noon, wallClock: noon, isSynchronised: true, steps: 0, ahead: nil),
            imports: [report("2", .running), report("1", .running), report("0", .done)])
        status.flapping = [(DeviceToken(unchecked: "d-1"), 40)]
        let told = status
        try await Served.with { served in
            served.store.rewrite { $0.status = told }
            let reply = try served.operate(.admin("GET", "/psp/admin/status"))
            expectSuccess(reply)
            let expected = """
                {"state":"ready","version":"\(Version.current)","node":"psp-1","started_at":\(noon),"uptime":5000,\
                "connections":{"devices":6,"online":4,"callers":2,"operators":1},\
                "loops":[{"devices":3,"online":2,"callers":1},{"devices":3,"online":2,"callers":1,"late":true}],\
                "pushes":{"total":14,"per_second_10s":1.3,"per_second_60s":0.0,\
                "repeated":0,"refused":0,"unavailable":0,"unknown":0},\
                "deliveries":{"total":200,"per_second_10s":0.0,"per_second_60s":20.0,\
                "skipped_oversize":0,"rejected":4,"overdue":0},\
                "acknowledgements":{"total":180,"per_second_10s":0.0,"per_second_60s":0.0,\
                "untaken":3,"uncounted":2},\
                "connects":{"accepted":0,"refused":0,"protocol_errors":0},\
                "flapping":[{"device_token":"d-1","connects":40}],\
                "backlog":{"unacknowledged":10,"windows_full":0,"awaiting_pages":0,"awaiting_store":4,"longest_wait":7},\
                "store":{"health":"serving","longest_hold":{"call":0,"slice":0,"commit":12,"upkeep":0}},\
                "disk":{"database":4096,"log":8192,"free":1099511627776},\
                "clock":{"store_time":\(noon),"wall_clock":\(noon),"offset":0,"synchronised":true,"steps":0},\
                "imports":{"running":2,"import_id":"1","lines":10,"done":0}}
                """
            #expect(String(decoding: try reply.data().minified(), as: UTF8.self) == expected)
            expect(
                try served.operate(Call(method: "GET", target: "/psp/admin/status")), 2005, status: 401, field: "Authorization")
            expect(try served.operate(.admin("GET", "/psp/admin/status?x=1")), 2104, status: 400, field: "x")
        }
    }

    private func report(_ id: String, _ state: ImportReport.State) -> ImportReport {
        ImportReport(
            id: ImportID(id), state: state, lines: 10, tally: ImportTally(), startedAt: noon, endedAt: nil, timeLeft: nil,
            failures: [])
    }

    @Test("what the store does not tell is absent, and why no push is taken is told as by /readyz")
    func standingStill() async throws {
        try await Served.with { served in
            served.store.rewrite {
                $0.health = .unreachable(reason: BilingualText("没有表", "no tables"), remedy: BilingualText("请建立", "make them"))
                $0.status.store.health = $0.health
            }
            for (language, detail, remedy) in [("zh", "没有表", "请建立"), ("en", "no tables", "make them")] {
                let data = try served.operate(.admin("GET", "/psp/admin/status").with("Accept-Language", language)).data()
                #expect(data["state"]?.string == "unreachable" && data["detail"]?.string == detail)
                #expect(data["remedy"]?.string == remedy)
                #expect(data["store"]?["health"]?.string == "unreachable" && data["store"]?["detail"]?.string == detail)
            }
            let data = try served.operate(.admin("GET", "/psp/admin/status")).data()
            for absent in ["disk", "clock", "imports"] { #expect(data[absent] == nil) }
            await served.admin.announceEnd()
            #expect(try served.operate(.admin("GET", "/psp/admin/status")).data()["state"]?.string == "draining")
        }
    }

    @Test("an operator may read and change the level of the log")
    func logLevel() async throws {
        try await Served.with { served in
            let target = "/psp/admin/log-level"
            #expect(try served.operate(.admin("GET", target)).data()["level"]?.string == "info")
            let changed = try served.operate(.admin("PUT", target, #"{"level":"debug"}"#))
            expectSuccess(changed, status: 202)
            #expect(try changed.data()["level"]?.string == "debug" && served.level.withLock { $0 } == .debug)
            #expect(served.log.lines == ["notice: the log is written from another level on before=info level=debug"])
            for (body, code) in [("{", 2101), ("[]", 2103), ("{}", 2102), (#"{"level":"loud"}"#, 2103), (#"{"levels":1}"#, 2104)]
            {
                #expect(try served.operate(.admin("PUT", target, body)).code == code, "\(body)")
            }
            #expect(served.level.withLock { $0 } == .debug)
            expect(try served.operate(Call(method: "PUT", target: target)), 2005, status: 401, field: "Authorization")
        }
    }

    @Test("a push is counted by what it is answered")
    func pushes() async throws {
        try await Served.with { served in
            let answers: [Accepted] = [
                .stored(TaskID("t-1")), .repeated(TaskID("t-1")), .refused(Refusal(.noSuchDevice)),
                .unavailable(retryAfter: .seconds(1)), .unknown,
            ]
            for answer in answers {
                served.store.rewrite { $0.append = { _ in answer } }
                _ = try served.send(.push())
            }
            _ = try served.send(.push("{}"))
            let status = await served.push.status
            let pushes = status.pushes[.message]
            #expect(pushes.stored == 1 && pushes.repeated == 1 && pushes.refused == 2)
            #expect(pushes.unavailable == 1 && pushes.unknown == 1)
            #expect(status.pushes[.configuration] == PushCounters())
            #expect(status.callers <= 6)
        }
    }

    @Test("rates are those of the last ten seconds and of the last minute, and of a shorter time after the start")
    func rates() {
        var history = TrafficHistory(at: 0)
        #expect(history.rates(of: Traffic(), at: 0) == TrafficRates())
        #expect(history.rates(of: Traffic(pushes: 10), at: 2_000).lastMinute.pushes == 5)
        // 10 a second for 100 s, then 40 a second for 10 s.
        for second in stride(from: Int64(2), through: 110, by: 2) {
            history.note(Traffic(pushes: pushes(at: second)), at: second * 1_000)
        }
        let rates = history.rates(of: Traffic(pushes: pushes(at: 110)), at: 110_000)
        #expect(rates.lastTenSeconds.pushes == 40 && rates.lastMinute.pushes == 15)
        #expect(rates.lastTenSeconds.deliveries == 0)
    }

    private func pushes(at second: Int64) -> UInt64 { UInt64(second <= 100 ? second * 10 : 1_000 + (second - 100) * 40) }
}
