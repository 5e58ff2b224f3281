import ArgumentParser
import JSON

/// What a message says: with a title a notification, else a message.
struct MessageOptions: ParsableArguments {
    @Option(help: ArgumentHelp(say("A notification with this title; without it a message.", "通知的标题；不给则为消息。"), valueName: "text"))
    var title: String?

    @Option(help: ArgumentHelp(say("The content for the application, a text.", "交给应用程序的内容，文本。"), valueName: "text"))
    var custom: String?

    @Option(
        help: ArgumentHelp(
            say("The content for the application, JSON that is passed on as it is.", "交给应用程序的内容，JSON，原样传递。"), valueName: "json"))
    var customJSON: String?

    func validate() throws {
        guard custom == nil || customJSON == nil else {
            throw ValidationError(say("--custom and --custom-json exclude each other.", "--custom 与 --custom-json 不能同时使用。"))
        }
        guard title != nil || custom != nil || customJSON != nil else {
            throw ValidationError(
                say("Nothing to say: give --title, --custom or --custom-json.", "没有内容：请给出 --title、--custom 或 --custom-json。"))
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
                    throw ValidationError(say("--custom-json is not JSON.", "--custom-json 不是 JSON。"))
                }
            }
            guard let custom else { return nil }
            var json = JSONWriter()
            json.value(custom)
            return json.bytes
        }
    }
}
