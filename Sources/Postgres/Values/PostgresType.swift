/// A type of a parameter or of a column, by the number that PostgreSQL's catalogue has for it (`pg_type.dat`).
public struct PostgresType: Hashable, Sendable, CustomStringConvertible {
    /// The type's oid.
    public let oid: UInt32

    /// Any type.
    public init(oid: UInt32) { self.oid = oid }

    /// `boolean`
    public static let bool = PostgresType(oid: 16)
    /// `bytea`
    public static let bytea = PostgresType(oid: 17)
    /// `bigint`
    public static let int8 = PostgresType(oid: 20)
    /// `integer`
    public static let int4 = PostgresType(oid: 23)
    /// `text`
    public static let text = PostgresType(oid: 25)
    /// `boolean[]`
    public static let boolArray = PostgresType(oid: 1000)
    /// `bytea[]`
    public static let byteaArray = PostgresType(oid: 1001)
    /// `integer[]`
    public static let int4Array = PostgresType(oid: 1007)
    /// `text[]`
    public static let textArray = PostgresType(oid: 1009)
    /// `bigint[]`
    public static let int8Array = PostgresType(oid: 1016)

    /// The type of arrays of this one, where this module knows it.
    public var array: PostgresType? { Self.arrays[self] }

    private static let arrays: [PostgresType: PostgresType] = [
        .bool: .boolArray, .bytea: .byteaArray, .int4: .int4Array, .int8: .int8Array, .text: .textArray,
    ]

    private static let names: [PostgresType: String] = [
        .bool: "boolean", .bytea: "bytea", .int8: "bigint", .int4: "integer", .text: "text", .boolArray: "boolean[]",
        .byteaArray: "bytea[]", .int4Array: "integer[]", .textArray: "text[]", .int8Array: "bigint[]",
    ]

    /// Its name in SQL, or its number.
    public var description: String { Self.names[self] ?? "oid \(oid)" }
}
