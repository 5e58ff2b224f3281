internal import Postgres

// An array of what each of some things has.

extension PostgresArguments {
    mutating func append<Item>(each items: [Item], int4 value: (Item) -> Int32?) {
        appendArray(of: .int4) { array in
            for item in items { if let found = value(item) { array.append(int4: found) } else { array.appendNull() } }
        }
    }

    mutating func append<Item>(each items: [Item], int8 value: (Item) -> Int64?) {
        appendArray(of: .int8) { array in
            for item in items { if let found = value(item) { array.append(int8: found) } else { array.appendNull() } }
        }
    }

    mutating func append<Item>(each items: [Item], bool value: (Item) -> Bool?) {
        appendArray(of: .bool) { array in
            for item in items { if let found = value(item) { array.append(bool: found) } else { array.appendNull() } }
        }
    }

    mutating func append<Item>(each items: [Item], bytea value: (Item) -> [UInt8]?) {
        appendArray(of: .bytea) { array in
            for item in items { if let found = value(item) { array.append(bytea: found) } else { array.appendNull() } }
        }
    }

    mutating func append<Item>(each items: [Item], text value: (Item) -> String?) {
        append(each: items, bytea: { value($0).map { Array($0.utf8) } })
    }
}

extension PostgresRows {
    /// A `bytea` that is a text; nil: null.
    func name(_ row: Int, _ column: Int) throws(PostgresShapeError) -> String? {
        withBytes(row, column) { bytes in
            guard let bytes else { return nil }
            return bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// The values that are never null.
    func present8(_ row: Int, _ column: Int) throws(PostgresShapeError) -> Int64 {
        guard let value = try int8(row, column) else { throw .null }
        return value
    }

    func present4(_ row: Int, _ column: Int) throws(PostgresShapeError) -> Int32 {
        guard let value = try int4(row, column) else { throw .null }
        return value
    }

    func position(_ row: Int, _ column: Int) throws(PostgresShapeError) -> UInt64 {
        UInt64(bitPattern: try present8(row, column))
    }
}
