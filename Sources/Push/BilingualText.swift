/// A text for people in both languages: whoever words something words it twice, or it does not compile.
public struct BilingualText: Hashable, Sendable {
    /// In Chinese.
    public let chinese: String
    /// In English.
    public let english: String

    /// The same in both languages.
    public init(_ chinese: String, _ english: String) {
        self.chinese = chinese
        self.english = english
    }

    /// The words of somebody who speaks English alone, as libraries and servers do. In Chinese they are a quotation, so that it
    /// shows whose they are.
    public init(quoting words: String, of speaker: String) {
        // Between Latin and Chinese letters there is a space.
        let gap = speaker.last?.isASCII == true ? " " : ""
        self.init("\(speaker)\(gap)报告“\(words)”", words)
    }

    /// The same behind what it is about, which reads alike in both: a flag, a file.
    public func after(_ subject: String) -> BilingualText {
        BilingualText("\(subject)：\(chinese)", "\(subject): \(english)")
    }

    /// As it reads in that language.
    public func text(in language: Language) -> String {
        switch language {
        case .chinese: chinese
        case .english: english
        }
    }
}
