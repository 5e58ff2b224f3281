internal import Base

// From where an app may call, as a store keeps it: separated by blanks, and nothing for everywhere.

extension [AddressRange] {
    /// As they are stored.
    package var stored: String? { isEmpty ? nil : map(\.description).joined(separator: " ") }

    /// From their stored text. One that nobody can read is an address of its own, so that a damaged list never lets in more.
    package init(stored text: String?) {
        self = (text ?? "").split(separator: " ").map { AddressRange($0) ?? AddressRange(IPAddress(v4: 0), prefixLength: 32) }
    }
}
