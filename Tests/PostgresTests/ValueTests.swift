import PostgresCluster
import Testing

@testable import Postgres

@Suite("Values")
struct ValueTests {
    @Test("each type comes back as it was sent, null or not")
    func scalars() async throws {
        try await withSharedPostgres { server in
            try await withConnection(try options(server.address())) { peer in
                let statement = PostgresStatement("select $1, $2, $3, $4, $5, $6, $7")
                var arguments = PostgresArguments()
                arguments.append(int4: .min)
                arguments.append(int8: .max)
                arguments.append(bool: true)
                arguments.append(text: "häus, 推送")
                arguments.append(bytea: [0, 255, 0])
                arguments.append(bytea: [])
                arguments.append(text: "")
                let rows = try #require(await peer.connection.call(PostgresCall(statement, arguments)).rows)
                #expect(try rows.int4(0, 0) == .min)
                #expect(try rows.int8(0, 1) == .max)
                #expect(try rows.bool(0, 2) == true)
                #expect(try rows.text(0, 3) == "häus, 推送")
                #expect(try rows.bytea(0, 4) == [0, 255, 0])
                #expect(rows.withBytes(0, 4) { $0?.byteCount } == 3)
                #expect(try rows.bytea(0, 5) == [])
                #expect(try rows.text(0, 6) == "")

                var nulls = PostgresArguments()
                nulls.append(int4: nil)
                nulls.append(int8: nil)
                nulls.append(bool: nil)
                nulls.append(text: nil)
                nulls.append(bytea: nil as [UInt8]?)
                nulls.append(bytea: nil as [UInt8]?)
                nulls.append(text: nil)
                let empty = try #require(await peer.connection.call(PostgresCall(statement, nulls)).rows)
                #expect((0..<7).allSatisfy { empty.isNull(0, $0) })
                #expect(try empty.int4(0, 0) == nil && empty.int8(0, 1) == nil && empty.bool(0, 2) == nil)
                #expect(try empty.text(0, 3) == nil && empty.bytea(0, 4) == nil && empty.withBytes(0, 4) { $0 == nil })
            }
        }
    }

    @Test("arrays of each type come back as they were sent, with nulls and without elements")
    func arrays() async throws {
        try await withSharedPostgres { server in
            try await withConnection(try options(server.address())) { peer in
                let statement = PostgresStatement("select $1, $2, $3, $4, $5, $6, cardinality($6)")
                var arguments = PostgresArguments(reserving: 256)
                arguments.append(int4Array: [1, -1])
                arguments.append(boolArray: [true, false])
                arguments.append(textArray: ["a", "", "ü"])
                arguments.append(byteaArray: [[0], [], [1, 2]])
                arguments.appendArray(of: .int8) { array in
                    array.append(int8: 7)
                    array.appendNull()
                }
                arguments.append(int8Array: [])
                let rows = try #require(await peer.connection.call(PostgresCall(statement, arguments)).rows)
                #expect(try rows.array(0, 0, of: .int4)?.int4s() == [1, -1])
                var bools = try #require(try rows.array(0, 1, of: .bool))
                #expect(try [bools.bool(), bools.bool()] == [true, false])
                #expect(throws: PostgresShapeError.end) { try bools.bool() }
                var texts = try #require(try rows.array(0, 2, of: .text))
                #expect(try [texts.text(), texts.text(), texts.text()] == ["a", "", "ü"])
                var bytes = try #require(try rows.array(0, 3, of: .bytea))
                #expect(try bytes.bytea() == [0])
                #expect(try bytes.withBytes { $0?.byteCount } == 0)
                #expect(try bytes.bytea() == [1, 2])
                var numbers = try #require(try rows.array(0, 4, of: .int8))
                #expect(numbers.count == 2)
                #expect(try [numbers.int8(), numbers.int8()] == [7, nil])
                #expect(throws: PostgresShapeError.null) { try rows.array(0, 4, of: .int8)?.int8s() }
                #expect(try rows.array(0, 5, of: .int8)?.int8s() == [])
                #expect(try rows.int4(0, 6) == 0)
            }
        }
    }

    @Test("a result of another shape is an error, not a wrong value")
    func shapes() async throws {
        try await withSharedPostgres { server in
            try await withConnection(try options(server.address())) { peer in
                let rows = try await peer.rows("select 1::int8, null::int4, array[[1::int8, 2], [3, 4]], array['x'::text]")
                #expect(throws: PostgresShapeError.type(expected: .int4, found: .int8)) { try rows.int4(0, 0) }
                #expect(throws: PostgresShapeError.type(expected: .text, found: .int4)) { try rows.text(0, 1) }
                #expect(throws: PostgresShapeError.malformed(.int8Array)) { try rows.array(0, 2, of: .int8) }
                #expect(throws: PostgresShapeError.type(expected: .byteaArray, found: .textArray)) {
                    try rows.array(0, 3, of: .bytea)
                }
            }
        }
    }

    @Test("an array that is cut short, or tells more elements than it has, is malformed")
    func truncated() throws {
        var arguments = PostgresArguments()
        arguments.append(int4Array: [1, 2, 3])
        let bytes = arguments.bytes
        for count in 0..<bytes.count {
            #expect(throws: PostgresShapeError.self) {
                var array = try PostgresArray(of: .int4, in: Array(bytes[..<count]), at: 0, count: count)
                for _ in 0..<3 { _ = try array.int4() }
            }
        }
        var boastful = bytes
        boastful.overwrite(at: 12, withBigEndian: .max)
        #expect(throws: PostgresShapeError.malformed(.int4Array)) {
            try PostgresArray(of: .int4, in: boastful, at: 0, count: boastful.count)
        }
    }
}
