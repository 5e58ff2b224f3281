import ArgumentParser

/// Whether the operator is asked before something that does not come back.
struct ConfirmationOptions: ParsableArguments {
    @Flag(help: ArgumentHelp(say("Do not ask.", "不询问。")))
    var yes = false

    /// Returns if the operator agrees, or need not be asked.
    /// - Parameters:
    ///   - question: as it is shown, with the answers that there are.
    ///   - unanswerable: what is said where nobody can be asked.
    func ask(_ question: String, unanswerable: String) throws {
        guard !yes else { return }
        guard Terminal.canAsk else { throw ValidationError(unanswerable) }
        guard Output.confirms(question) else { throw Failure.declined }
    }
}
