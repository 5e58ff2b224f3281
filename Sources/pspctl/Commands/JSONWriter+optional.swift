import JSON

extension JSONWriter {
    /// Writes a member whose field is optional in the directory: `null` clears it, absent leaves it as it is.
    mutating func member(_ key: String, orNullIf isCleared: Bool, _ text: String?) {
        if isCleared {
            self.key(key)
            null()
        } else {
            member(key, ifPresent: text)
        }
    }
}
