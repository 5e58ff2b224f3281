import Push

/// The text of an import, cut into parts and read line by line.
enum ImportTarget {
    private struct Line: Equatable {
        let number: Int
        let change: Result<DirectoryChange, Refusal>
    }

    static func attempt(_ input: Input) -> CInt {
        let whole = lines(input) { $0(input.bytes.count) }
        let cut = lines(input, by: input.forEachEnd)
        require(whole == cut, "in pieces \(cut), whole \(whole)")
        for line in whole {
            if case .failure(let refusal) = line.change { requireWords(of: refusal) }
        }
        // Every line that says something has its place, and nothing else has.
        let expected = input.bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated()
            .filter { !$0.element.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d } }.map { $0.offset + 1 }
        require(whole.map(\.number) == expected, "lines \(whole.map(\.number)), not \(expected)")
        return 0
    }

    private static func lines(_ input: Input, by forEachEnd: ((Int) -> Void) -> Void) -> [Line] {
        var (text, start, lines) = (ImportText(), 0, [Line]())
        func read(_ part: ImportPart?) {
            guard let part else { return }
            var reader = ImportLines(part)
            let before = lines.count
            while let line = reader.next() { lines.append(Line(number: line.number, change: line.change)) }
            require(lines.count - before == part.count, "\(lines.count - before) lines in a part of \(part.count)")
        }
        forEachEnd { end in
            read(text.append(Array(input.bytes[start..<end])))
            start = end
        }
        read(text.finish())
        return lines
    }
}
