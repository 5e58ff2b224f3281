import PostgresCluster
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// What is read within a scope: outside of it there is nothing, and nothing is above.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct ScopeTests {
    private let east = OrgID(unchecked: "east")

    private func device(_ token: String) -> DeviceToken { DeviceToken(unchecked: token) }

    /// East with `inner` below it and west, below root.
    private func furnish(_ port: any StorePort) async throws {
        try await port.makeApp("app")
        try await port.makeOrg("root")
        for (org, parent) in [("east", "root"), ("west", "root"), ("inner", "east")] {
            try await port.makeOrg(org, under: parent)
        }
        try await port.makeDevice("d1", in: "east", user: "u1")
        try await port.makeDevice("d2", in: "east", .ios, user: "u1")
        try await port.makeDevice("d3", in: "west")
        try await port.makeDevice("d4", in: "inner")
        try await port.makeDevice("d5", in: "west", user: "u2")
    }

    @Test func organisationsAndDevicesAreThereInsideOnly() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            #expect(try await b.port.organisation(east, within: east).parent == nil)
            #expect(try await b.port.organisation(OrgID(unchecked: "inner"), within: east).parent == east)
            for outside in ["root", "west", "nowhere"] {
                await #expect(throws: StoreError.refused(Refusal(.noSuchOrganisation, field: "org_id"))) {
                    try await b.port.organisation(OrgID(unchecked: outside), within: east)
                }
            }
            for (token, scope) in [("d3", east), ("nothing", east), ("d1", OrgID(unchecked: "nowhere"))] {
                await #expect(throws: StoreError.refused(Refusal(.noSuchDevice, field: "device_token"))) {
                    try await b.port.device(device(token), within: scope)
                }
            }
            for limit in [1, 2, 100] {
                let organisations = try await b.port.all { after throws(StoreError) in
                    try await b.port.organisations(within: east, after: after, limit: limit)
                }
                #expect(organisations.map(\.id.text) == ["east", "inner"])
                let devices = try await b.port.all { after throws(StoreError) in
                    try await b.port.devices(DeviceFilter(scope: east), after: after, limit: limit)
                }
                #expect(devices.map(\.token.text) == ["d1", "d2", "d4"])
            }
            _ = try await a.connect("d3")
            _ = try await b.connect("d4")
            let online = try await a.port.devices(DeviceFilter(scope: east, online: true), after: nil, limit: 9)
            #expect(online.items.map(\.token.text) == ["d4"])
            let none = DeviceFilter(organisation: OrgID(unchecked: "west"), scope: east)
            #expect(try await a.port.devices(none, after: nil, limit: 9).items.isEmpty)
        }
    }

    @Test func tasksAreThereByWhomTheyAddressedThen() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let inside = try await a.push(
                [.organisation("east"), .organisation("inner"), .device("d1"), .user("u1")].map { .message($0) })
            let outside = try await b.push(
                [.organisation("root"), .organisation("west"), .device("d3"), .user("u2")].map { .message($0) })
            // Where they are now is not where they were.
            try await a.port.move("d1", to: "inner")
            try await a.port.move("d3", to: "east")
            let missing = StoreError.refused(Refusal(.noSuchTask, field: "task_id"))
            for port in [a.port, b.port] {
                for limit in [1, 3, 100] {
                    let listed = try await port.all { after throws(StoreError) in
                        try await port.tasks(TaskFilter(scope: east), after: after, limit: limit)
                    }
                    #expect(listed.map(\.task) == inside.reversed())
                }
                for task in inside { #expect(try await port.report(task, to: nil, within: east).task == task) }
                for task in outside {
                    await #expect(throws: missing) { try await port.report(task, to: nil, within: east) }
                    await #expect(throws: missing) {
                        try await port.recipients(of: task, to: nil, within: east, state: .pending, after: nil, limit: 9)
                    }
                    await #expect(throws: missing) {
                        try await port.explain(task, to: device("d1"), within: east, patience: .seconds(1))
                    }
                }
            }
            // A user with a device outside as well is not inside from then on.
            try await a.port.makeDevice("d9", in: "west", user: "u1")
            #expect(try await b.port.report(inside[3], to: nil, within: east).task == inside[3])
            let later = try await b.push(.message(.user("u1")))
            await #expect(throws: missing) { try await a.port.report(later, to: nil, within: east) }
        }
    }

    @Test func aTasksDevicesAreNamedWhereTheyAreInsideNow() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let hidden = try await a.push(.message(.organisation("root")))
            let task = try await a.push(.message(.organisation("east")))
            try await a.port.move("d2", to: "west")
            let page = try await b.port.recipients(of: task, to: nil, within: east, state: .pending, after: nil, limit: 9)
            #expect(page.items.map(\.device.text) == ["d1", "d4"])
            #expect(try await b.port.recipients(task, .pending).sorted() == ["d1", "d2", "d4"])
            let all = try await b.port.explain(task, to: device("d1"), patience: .seconds(1))
            #expect(all.wait?.behind == hidden)
            let explained = try await b.port.explain(task, to: device("d1"), within: east, patience: .seconds(1))
            #expect(explained.wait?.ahead == 1)
            #expect(explained.wait?.behind == nil)
            #expect(explained.membership?.organisation == east)
            try await a.port.move("d3", to: "east")
            let elsewhere = try await b.port.explain(task, to: device("d3"), within: east, patience: .seconds(1))
            #expect(elsewhere.standing == .outside)
            #expect(elsewhere.membership == nil)
        }
    }
}
