import Base
import Push

extension SystemError {
    /// What the system says, in the language of the program.
    var words: String { text.text(in: Speech.language) }
}
