package import StoreCore

/// What there is one current configuration of: an app, a target, a tag and a mode.
package enum ConfigurationSlot {
    /// The hash by which the database looks one up; what it is of stands beside it.
    /// - Parameter name: the target's, as the caller named it.
    package static func hash(kind: TargetKey.Kind, name: String, app: String, tag: String, testOnly: Bool) -> Int64 {
        StableHash.of("\(kind.rawValue) \(testOnly) \(app) \(name.utf8.count) \(name) \(tag)")
    }
}
