/// One value or key of a document. The nodes stand in the order of the text: an object's node is followed by its first key, by
/// that key's value with everything in it, by the second key, and so on. So a subtree is a range of nodes, and a loop walks it:
/// deep nesting needs no stack.
struct JSONNode {
    let kind: JSONKind
    /// A string that holds a backslash.
    let hasEscapes: Bool
    /// The first byte, and the one after the last; of a string with its quotes.
    let start: UInt32
    var end: UInt32
    /// The index of the node after this subtree.
    var next: UInt32
    /// An object's members, an array's elements.
    var count: UInt32
}
