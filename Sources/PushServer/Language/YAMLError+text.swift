internal import Push
internal import YAML

extension YAMLError {
    /// What is wrong, in both languages; libyaml's own words are English.
    var text: BilingualText {
        switch problem {
        case .repeated(let key): BilingualText("\(key) 出现了两次", problem.description)
        case .richValue(let key): BilingualText("\(key) 只能有一个普通的值", problem.description)
        case .richName: BilingualText("名称必须是普通文本", problem.description)
        case .noMapping: BilingualText("应为 `name: value`", problem.description)
        case .secondDocument: BilingualText("只能有一个文档", problem.description)
        case .syntax(let reason): BilingualText("不是 YAML：\(reason)", problem.description)
        }
    }
}
