internal import Push
internal import Web

extension Request where Service: APIFront {
    /// The identifier that the address names.
    /// - Parameter name: of the address's parameter, and of the field at fault.
    /// - Throws: 2103 where it cannot be one.
    func identifier<ID: Identifier>(_ name: String) throws(Refusal) -> ID {
        guard let text = decodedParameter(name), let id = ID(text) else { throw Refusal(.invalidValue, field: name) }
        return id
    }

    /// The task that the address names; whether there is one, the store decides.
    var task: TaskID { TaskID(decodedParameter("task_id") ?? String(parameter("task_id"))) }
}
