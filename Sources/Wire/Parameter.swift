// What a method says it takes. The words are those of the readers in Parameters.swift, so a
// declaration reads like the lines that read it: `optionalInteger("k", in: 1...1000)`.

/// A member of `params`, declared.
package struct Parameter: Sendable {
    package let name: String
    package let isRequired: Bool
    package let shape: Shape

    /// What may stand there.
    package indirect enum Shape: Sendable {
        case string(maximumBytes: Int, minimumBytes: Int = 0)
        /// What `session.open` gave.
        case handle
        case id
        case date
        case base64(maximumBytes: Int)
        /// A decimal number in a string, in units of the last of its decimals.
        case decimal(ClosedRange<Int>, decimals: Int)
        case choice([String])
        case integer(ClosedRange<Int>)
        case number(ClosedRange<Double>)
        case flag
        /// `[from, to]`, both included.
        case range(ClosedRange<Int>)
        /// So many numbers.
        case vector(ClosedRange<Int>)
        /// The same in base64; `dtype` says of what.
        case vectorB64(ClosedRange<Int>)
        case list(of: Shape, minimumCount: Int, maximumCount: Int)
        case object([Parameter])
    }

    private init(_ name: String, _ shape: Shape, isRequired: Bool) {
        self.name = name
        self.shape = shape
        self.isRequired = isRequired
    }
}

extension Parameter {
    // MARK: Strings

    package static func string(
        _ name: String, maximumBytes: Int = 1024, allowsEmpty: Bool = false
    ) -> Parameter {
        let shape = Shape.string(maximumBytes: maximumBytes, minimumBytes: allowsEmpty ? 0 : 1)
        return Parameter(name, shape, isRequired: true)
    }

    package static func optionalString(_ name: String, maximumBytes: Int = 1024) -> Parameter {
        Parameter(name, .string(maximumBytes: maximumBytes), isRequired: false)
    }

    package static func strings(_ name: String, maximumCount: Int = 256) -> Parameter {
        Parameter(name, .strings(maximumCount), isRequired: true)
    }

    package static func optionalStrings(_ name: String, maximumCount: Int = 256) -> Parameter {
        Parameter(name, .strings(maximumCount), isRequired: false)
    }

    package static func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, of type: Choice.Type
    ) -> Parameter where Choice.RawValue == String {
        Parameter(name, .choice(type.allCases.map(\.rawValue)), isRequired: true)
    }

    package static func optionalChoice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, of type: Choice.Type
    ) -> Parameter where Choice.RawValue == String {
        Parameter(name, .choice(type.allCases.map(\.rawValue)), isRequired: false)
    }

    package static func optionalChoices<Choice: RawRepresentable & CaseIterable>(
        _ name: String, of type: Choice.Type
    ) -> Parameter where Choice.RawValue == String {
        let choice = Shape.choice(type.allCases.map(\.rawValue))
        return Parameter(
            name, .list(of: choice, minimumCount: 0, maximumCount: 64), isRequired: false)
    }

    package static func choices<Choice: RawRepresentable & CaseIterable>(
        _ name: String, of type: Choice.Type
    ) -> Parameter where Choice.RawValue == String {
        let choice = Shape.choice(type.allCases.map(\.rawValue))
        return Parameter(
            name, .list(of: choice, minimumCount: 1, maximumCount: 64), isRequired: true)
    }

    /// A session's handle.
    package static func handle(_ name: String) -> Parameter {
        Parameter(name, .handle, isRequired: true)
    }

    package static func id(_ name: String) -> Parameter {
        Parameter(name, .id, isRequired: true)
    }

    package static func optionalID(_ name: String) -> Parameter {
        Parameter(name, .id, isRequired: false)
    }

    package static func ids(_ name: String, maximumCount: Int = 1024) -> Parameter {
        Parameter(name, .ids(maximumCount), isRequired: true)
    }

    package static func optionalIDs(_ name: String, maximumCount: Int = 1024) -> Parameter {
        Parameter(name, .ids(maximumCount), isRequired: false)
    }

    package static func optionalDate(_ name: String) -> Parameter {
        Parameter(name, .date, isRequired: false)
    }

    package static func base64(_ name: String, maximumBytes: Int) -> Parameter {
        Parameter(name, .base64(maximumBytes: maximumBytes), isRequired: true)
    }

    package static func decimal(
        _ name: String, in range: ClosedRange<Int>, decimals: Int = 2
    ) -> Parameter {
        Parameter(name, .decimal(range, decimals: decimals), isRequired: true)
    }

    // MARK: Numbers and flags

    package static func integer(_ name: String, in range: ClosedRange<Int>) -> Parameter {
        Parameter(name, .integer(range), isRequired: true)
    }

    package static func optionalInteger(_ name: String, in range: ClosedRange<Int>) -> Parameter {
        Parameter(name, .integer(range), isRequired: false)
    }

    package static func optionalNumber(_ name: String, in range: ClosedRange<Double>) -> Parameter {
        Parameter(name, .number(range), isRequired: false)
    }

    package static func flag(_ name: String) -> Parameter {
        Parameter(name, .flag, isRequired: true)
    }

    package static func optionalFlag(_ name: String) -> Parameter {
        Parameter(name, .flag, isRequired: false)
    }

    package static func optionalRange(_ name: String, in bounds: ClosedRange<Int>) -> Parameter {
        Parameter(name, .range(bounds), isRequired: false)
    }

    // MARK: Objects

    package static func object(_ name: String, _ members: [Parameter]) -> Parameter {
        Parameter(name, .object(members), isRequired: true)
    }

    package static func optionalObject(_ name: String, _ members: [Parameter]) -> Parameter {
        Parameter(name, .object(members), isRequired: false)
    }

    package static func objects(
        _ name: String, maximumCount: Int, _ members: [Parameter]
    ) -> Parameter {
        let shape = Shape.list(of: .object(members), minimumCount: 1, maximumCount: maximumCount)
        return Parameter(name, shape, isRequired: true)
    }

    package static func optionalObjects(
        _ name: String, maximumCount: Int, _ members: [Parameter]
    ) -> Parameter {
        let shape = Shape.list(of: .object(members), minimumCount: 0, maximumCount: maximumCount)
        return Parameter(name, shape, isRequired: false)
    }

    // MARK: Several at once

    /// A vector in either form, which may be absent.
    package static let optionalVector = vector(of: 768...768)

    /// A vector as wide as its model makes them, in either form.
    package static let vectorOfModel = vector(of: 1...768)

    private static func vector(of width: ClosedRange<Int>) -> [Parameter] {
        [
            Parameter("vector", .vector(width), isRequired: false),
            Parameter("vectorB64", .vectorB64(width), isRequired: false),
            optionalChoice("dtype", of: VectorType.self),
        ]
    }

    /// What every method takes besides its own.
    package static let common = [
        optionalInteger("timeoutMs", in: 1...86_400_000), optionalFlag("strict"),
    ]
}

extension Parameter.Shape {
    fileprivate static func strings(_ maximumCount: Int) -> Self {
        .list(of: .string(maximumBytes: 1024), minimumCount: 0, maximumCount: maximumCount)
    }

    fileprivate static func ids(_ maximumCount: Int) -> Self {
        .list(of: .id, minimumCount: 0, maximumCount: maximumCount)
    }

    /// What an object's members may be; nil for every other shape, lists of objects aside.
    package var members: [Parameter]? {
        switch self {
        case .object(let members): members
        case .list(let element, _, _): element.members
        default: nil
        }
    }
}
