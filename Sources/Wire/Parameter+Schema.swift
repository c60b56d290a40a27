// Declared parameters as JSON Schema (draft 7, which OpenRPC takes).
//
// JSON Schema counts characters where the server counts bytes: `maxLength` is then a bound that no
// accepted text passes, and the server's is the tighter one.

extension JSONWriter {
    /// `{"name":…,"required":…,"schema":{…}}`, OpenRPC's content descriptor.
    package mutating func descriptor(of parameter: Parameter) {
        object { (writer: inout JSONWriter) in
            writer.member("name", parameter.name)
            writer.member("required", parameter.isRequired)
            writer.key("schema")
            writer.schema(of: parameter.shape)
        }
    }

    /// The schema of one shape.
    package mutating func schema(of shape: Parameter.Shape) {
        object { $0.schemaMembers(of: shape) }
    }

    private mutating func schemaMembers(of shape: Parameter.Shape) {
        switch shape {
        case .string(let maximumBytes, let minimumBytes):
            member("type", "string")
            if minimumBytes > 0 { member("minLength", 1) }
            member("maxLength", maximumBytes)
        case .handle:
            member("type", "string")
            member("description", "The handle that session.open gave on this connection.")
        case .id:
            member("type", "string")
            member("format", "uuid")
        case .date:
            member("type", "string")
            member("format", "date-time")
        case .base64(let maximumBytes):
            member("type", "string")
            member("contentEncoding", "base64")
            member("maxLength", (maximumBytes + 2) / 3 * 4)
        case .decimal(let range, let decimals):
            member("type", "string")
            member("pattern", "^-?[0-9]+(\\.[0-9]{1,\(decimals)})?$")
            let (lower, upper) = (
                ScaledDecimal.text(range.lowerBound, decimals: decimals),
                ScaledDecimal.text(range.upperBound, decimals: decimals)
            )
            member("description", "A decimal number from \(lower) to \(upper).")
        case .choice(let words): member("enum", words)
        case .integer(let range):
            member("type", "integer")
            member("minimum", range.lowerBound)
            member("maximum", range.upperBound)
        case .number(let range):
            member("type", "number")
            member("minimum", range.lowerBound)
            member("maximum", range.upperBound)
        case .flag: member("type", "boolean")
        case .range(let bounds):
            array(.integer(bounds), 2...2)
        case .vector(let width):
            member("type", "array")
            object("items") { $0.member("type", "number") }
            member("minItems", width.lowerBound)
            member("maxItems", width.upperBound)
        case .vectorB64(let width):
            let count =
                width.count == 1
                ? "\(width.lowerBound)" : "\(width.lowerBound) to \(width.upperBound)"
            member("type", "string")
            member("contentEncoding", "base64")
            member(
                "description", "\(count) little-endian floats; `dtype` says of how many bits.")
        case .list(let element, let minimumCount, let maximumCount):
            array(element, minimumCount...maximumCount)
        case .object(let members):
            member("type", "object")
            object("properties") { (writer: inout JSONWriter) in
                for parameter in members {
                    writer.key(parameter.name)
                    writer.schema(of: parameter.shape)
                }
            }
            let required = members.filter(\.isRequired).map(\.name)
            if !required.isEmpty { member("required", required) }
            member("additionalProperties", false)
        }
    }

    private mutating func array(_ element: Parameter.Shape, _ count: ClosedRange<Int>) {
        member("type", "array")
        key("items")
        schema(of: element)
        member("minItems", count.lowerBound)
        member("maxItems", count.upperBound)
    }
}
