internal import Push

// Secrets that the settings name a file of: arguments and environments are read by more people than files are.

extension ServerConfiguration {
    /// The operators' token, where one is set.
    /// - Throws: `cannotWork`, naming the setting; so where several nodes would each make their own.
    func givenAdminToken() throws(StartError) -> String? {
        if let adminToken { return adminToken }
        if let file = adminTokenFile {
            let token = try Self.firstLine(of: file, setting: "--admin-token-file")
            guard token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw .cannotWork(
                    BilingualText("不是令牌：应为不含空格的可打印 ASCII 字符", "no token: expected printable ASCII without spaces")
                        .after(file).after("--admin-token-file"))
            }
            return token
        }
        guard store.isShared else { return nil }
        throw .cannotWork(
            BilingualText(
                "多个节点共用的存储需要 --admin-token-file（或 --admin-token），各节点相同",
                "a store that nodes share needs --admin-token-file (or --admin-token), the same on each"
            ).after("--store"))
    }

    /// Says whether the store's password can be read, where it has a file.
    /// - Throws: `cannotWork`, naming the setting.
    func judgeStorePassword() throws(StartError) {
        guard let file = storePasswordFile else { return }
        let setting = "--store-password-file"
        guard store.isShared else {
            throw .cannotWork(BilingualText("嵌入式存储没有密码", "the embedded store has no password").after(setting))
        }
        _ = try Self.firstLine(of: file, setting: setting)
    }

    private static func firstLine(of file: String, setting: String) throws(StartError) -> String {
        let bytes: [UInt8]
        do throws(FileError) { bytes = try File.read(file) } catch { throw .cannotWork(error.text.after(setting)) }
        let line = bytes.prefix { $0 != 0x0A && $0 != 0x0D }
        guard !line.isEmpty else {
            throw .cannotWork(BilingualText("第一行为空", "its first line is empty").after(file).after(setting))
        }
        return String(decoding: line, as: UTF8.self)
    }
}
