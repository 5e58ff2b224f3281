/// Properties that can be written: ascending by identifier, the user properties last.
protocol PropertySet {
    func write(to sink: inout some ByteSink)
}

extension ByteSink {
    /// Writes the length of `properties`, then them.
    mutating func properties(_ properties: some PropertySet) {
        var counter = ByteCounter()
        properties.write(to: &counter)
        variableByteInteger(counter.count)
        properties.write(to: &self)
    }

    mutating func property(_ identifier: PropertyIdentifier, _ value: UInt8?) {
        guard let value else { return }
        uint8(identifier.rawValue)
        uint8(value)
    }

    mutating func property(_ identifier: PropertyIdentifier, _ value: Bool?) {
        property(identifier, value.map { $0 ? 1 : 0 } as UInt8?)
    }

    mutating func property(_ identifier: PropertyIdentifier, _ value: UInt16?) {
        guard let value else { return }
        uint8(identifier.rawValue)
        uint16(value)
    }

    mutating func property(_ identifier: PropertyIdentifier, _ value: UInt32?) {
        guard let value else { return }
        uint8(identifier.rawValue)
        uint32(value)
    }

    mutating func property(_ identifier: PropertyIdentifier, _ value: String?) {
        guard let value else { return }
        uint8(identifier.rawValue)
        string(value)
    }

    mutating func property(_ identifier: PropertyIdentifier, _ value: [UInt8]?) {
        guard let value else { return }
        uint8(identifier.rawValue)
        binary(value)
    }

    mutating func subscriptionIdentifier(_ value: UInt32) {
        uint8(PropertyIdentifier.subscriptionIdentifier.rawValue)
        variableByteInteger(Int(value))
    }

    mutating func userProperties(_ pairs: [UserProperty]) {
        for pair in pairs {
            uint8(PropertyIdentifier.userProperty.rawValue)
            string(pair.name)
            string(pair.value)
        }
    }
}
