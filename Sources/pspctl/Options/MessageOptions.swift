import ArgumentParser
import JSON

/// What a message says: with a title a notification, else a message.
struct MessageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A notification with this title; without it a message.", valueName: "text"))
    var title: String?

    @Option(help: ArgumentHelp("The content for the application, a text.", valueName: "text"))
    var custom: String?

    @Option(help: ArgumentHelp("The content for the application, JSON that is passed on as it is.", valueName: "json"))
    var customJSON: String?

    func validate() throws {
        guard custom == nil || customJSON == nil else {
            throw ValidationError("--custom and --custom-json exclude each other.")
        }
        guard title != nil || custom != nil || customJSON != nil else {
            throw ValidationError("Nothing to say: give --title, --custom or --custom-json.")
        }
        _ = try content
    }

    var content: PushBody.Content {
        get throws {
            let content = try customContent
            if let title { return .notification(title: title, custom: content) }
            return .message(custom: content ?? [])
        }
    }

    private var customContent: [UInt8]? {
        get throws {
            if let customJSON {
                do {
                    return try JSONDocument(parsing: customJSON).root.minified()
                } catch {
                    throw ValidationError("--custom-json is not JSON.")
                }
            }
            guard let custom else { return nil }
            var json = JSONWriter()
            json.value(custom)
            return json.bytes
        }
    }
}
