import ArgumentParser
import Foundation
import Postgres

/// How the database of a shared store is reached, for what is done with it rather than by a server.
struct DatabaseOptions: ParsableArguments {
    @OptionGroup
    var password: PasswordFileOption

    @Flag(help: ArgumentHelp(say("Print JSON for scripts instead of text for people.", "输出 JSON（供脚本使用）而不是文字。")))
    var json = false

    /// Where the database is, as a command names it.
    func database(at store: String) throws -> PostgresOptions { try password.database(at: store) }
}

/// Where the database's password is.
struct PasswordFileOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            say(
                "A file whose first line is the database's password; else PSP_STORE_PASSWORD_FILE, as pspd has it.",
                "首行为数据库密码的文件；否则用 PSP_STORE_PASSWORD_FILE，与 pspd 相同。"),
            valueName: "file"))
    var passwordFile: String?

    /// The file that counts.
    var file: String? { passwordFile ?? ProcessInfo.processInfo.environment["PSP_STORE_PASSWORD_FILE"] }

    /// Where the database is, as a command names it.
    func database(at store: String) throws -> PostgresOptions {
        guard StoreName(store).isDatabase else {
            throw ValidationError(
                say("The store must be a URI postgres://…; got '\(store)'.", "存储应为 postgres://… 形式的 URI，收到 '\(store)'。"))
        }
        let address: PostgresAddress
        do throws(PostgresAddress.Malformed) { address = try PostgresAddress(parsing: store) } catch {
            throw ValidationError(say("The store is no address: \(error).", "存储地址无效：libpq 报告“\(error)”。"))
        }
        guard !address.hasPassword else {
            throw ValidationError(
                say(
                    "The store must be named without its password, which others see in the list of processes: put it into a "
                        + "file, and give --password-file FILE.",
                    "存储地址中不能有密码，因为其他用户能在进程列表中看到：请把密码写入文件，用 --password-file 给出。"))
        }
        var options = PostgresOptions(address)
        options.passwordFile = file
        options.applicationName = "pspctl"
        return options
    }
}

/// A store as `pspd --store` names it.
struct StoreName {
    let text: String

    init(_ text: String) { self.text = text }

    var isDatabase: Bool { text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") }

    /// The directory of an embedded one; `nil` for any other text.
    var directory: String? {
        guard text.hasPrefix("sqlite:") else { return nil }
        let directory = String(text.dropFirst("sqlite:".count))
        return directory.isEmpty || directory.hasPrefix("//") ? nil : directory
    }
}
