internal import Postgres

// How many devices are connected here, for the other nodes' lists.

extension StoreNode {
    /// How often it is told what has changed.
    private static let onlinePause = Duration.seconds(1)

    /// Tells it until the store is closed.
    func tellOnline() async {
        while !isClosing {
            await onlineBell.wait(atMost: Self.onlinePause)
            guard isServing else { continue }
            let changes = online.changes { directory.tree.path(of: $0) }
            guard !changes.isEmpty else { continue }
            let teller = number
            let outcome = await timely(own, Statements.tellOnline) { arguments in
                arguments.append(int4: teller)
                arguments.append(bool: !online.hasTold)
                arguments.append(each: changes, int4: { Int32(bitPattern: $0.org) })
                arguments.append(each: changes, int4: { Int32(clamping: $0.devices) })
            }
            // Meanwhile this node may have become another one, which has told nothing yet.
            guard number == teller else { continue }
            if case .rows = outcome {
                online.tell(changes)
            } else {
                online.takeBack(changes)
            }
        }
    }
}
