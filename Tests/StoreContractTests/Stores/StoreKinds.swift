import StoreContract

/// Every store that is judged: a new one joins here, with what it says of itself in a file of its own beside this one.
let storeKinds: [StoreKind] = [.sqlite, .sqlite.inTurn, .memory]

/// Those that claim what a test needs.
func stores(_ needed: Capability...) -> [StoreKind] { storeKinds.filter { $0.claims(needed) } }
