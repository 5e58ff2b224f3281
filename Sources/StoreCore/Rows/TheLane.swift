package import Push

/// The order that all positions belong to: a store has one lane.
package let theLane = Lane(index: 0)

extension DeviceHandle {
    /// The device of that number.
    package init(ordinal: UInt32) { self.init(lane: theLane, ordinal: ordinal) }
}
