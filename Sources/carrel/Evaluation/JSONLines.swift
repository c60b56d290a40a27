// One JSON object a line.

package import Foundation

package enum JSONLines {
    /// Decodes every line that is not blank.
    ///
    /// - Throws: `FileProblem` naming the line, counted from 1.
    package static func decode<Value: Decodable>(
        _: Value.Type, from data: Data, file: String
    ) throws(FileProblem) -> [Value] {
        let decoder = JSONDecoder()
        var values: [Value] = []
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.allSatisfy(isBlank) {
            do {
                values.append(try decoder.decode(Value.self, from: line))
            } catch {
                throw FileProblem(
                    file: file, line: index + 1, reason: Self.reason(of: error, Value.self))
            }
        }
        return values
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0D || byte == 0x09
    }

    private static func reason(of error: any Error, _ type: Any.Type) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "there is no \"\(key.stringValue)\""
        case DecodingError.typeMismatch(_, let context),
            DecodingError.valueNotFound(_, let context):
            "\"\(context.codingPath.map(\.stringValue).joined(separator: "."))\" has another type"
        default: "not a JSON object"
        }
    }
}
