extension Refusal {
    /// The text of the refusal: the catalogue's, and what the hint adds. It never holds a secret or an expected token.
    public func message(in language: Language) -> String {
        let text = code.text(in: language)
        switch (hint, language) {
        case (.rawSecret, .chinese):
            return text + "：应为md5hex(lower(appkey)+lower(masterSecret)+timestamp)，不能直接使用秘钥"
        case (.rawSecret, .english):
            return text + ": it must be md5hex(lower(appkey)+lower(masterSecret)+timestamp), not the secret itself"
        case (.serverTime(let time), .chinese): return text + "，服务器时间为\(time)"
        case (.serverTime(let time), .english): return text + "; it is \(time)"
        case (nil, _): return text
        }
    }
}
