// Typed reading of `params`. Each reader checks one field and names it when it is wrong, so a
// method's parameters read as a list, and no method invents its own message.

/// The members of an object, read one by one; what nobody read is unknown.
///
/// `null` stands for absent. Strings hold no NUL: PostgreSQL cannot store it, and libpq would
/// cut there in silence.
package struct Parameters: Sendable {
    private let object: JSONObject?
    private let path: String
    private let isStrict: Bool
    /// What the method says it takes; nil when nobody said.
    private let declared: [Parameter]?
    /// One bit per member that was asked for; members past the 64th are never known.
    private var read: UInt64 = 0

    /// The members of `params`, all of them absent when it is.
    ///
    /// - Parameters:
    ///   - object: what `params` holds, `nil` when the request has none.
    ///   - isStrict: whether ``finish()`` refuses members that were not read.
    ///   - declared: what may be read; `nil` for anything.
    package init(
        _ object: JSONObject?, isStrict: Bool = false, declared: [Parameter]? = nil
    ) {
        self.init(object, path: "", isStrict: isStrict, declared: declared)
    }

    private init(_ object: JSONObject?, path: String, isStrict: Bool, declared: [Parameter]?) {
        self.object = object
        self.path = path
        self.isStrict = isStrict
        self.declared = declared
    }

    /// Refuses members that no reader asked for, if the client is strict.
    ///
    /// Where it is known what was declared, it also refuses, as our own mistake, members that were read
    /// without being declared: the description of the protocol would not know them.
    package func finish() throws(WireError) {
        guard let object else { return }
        if let declared { try check(object, declared) }
        guard isStrict else { return }
        for (position, member) in object.enumerated()
        where position >= 64 || read & (1 << UInt64(position)) == 0 {
            let field = path + member.key
            throw WireError(
                .invalidParams, "`\(field)` is not a field of this request.", field: field)
        }
    }

    private func check(_ object: JSONObject, _ declared: [Parameter]) throws(WireError) {
        for (position, member) in object.enumerated().prefix(64)
        where read & (1 << UInt64(position)) != 0 {
            guard !declared.contains(where: { $0.name == member.key }) else { continue }
            throw WireError(
                .internal, "`\(path)\(member.key)` is read but not declared.",
                field: path + member.key)
        }
    }

    /// The path of a member, as error messages name it.
    package func field(_ name: StaticString) -> String { "\(path)\(name)" }

    // MARK: Objects

    /// An object that may be absent, to be read and finished in turn.
    package mutating func optionalObject(_ name: StaticString) throws(WireError) -> Parameters? {
        guard let value = value(name) else { return nil }
        return try Parameters.nested(
            value, field: field(name), isStrict: isStrict, declared: members(of: name))
    }

    /// An object that must be there.
    package mutating func object(_ name: StaticString) throws(WireError) -> Parameters {
        try required(name, try optionalObject(name))
    }

    /// A list of objects that must be there and is not empty.
    package mutating func objects(
        _ name: StaticString, maximumCount: Int
    ) throws(WireError) -> [Parameters] {
        let present = try required(name, optionalObjects(name, maximumCount: maximumCount))
        if present.isEmpty {
            throw .invalid(field(name), expected: "at least one element", got: "none")
        }
        return present
    }

    /// Objects, absent or a list of at most so many.
    package mutating func optionalObjects(
        _ name: StaticString, maximumCount: Int
    ) throws(WireError) -> [Parameters]? {
        let (isStrict, declared) = (isStrict, members(of: name))
        return try elements(name, maximumCount: maximumCount) { (value, field) throws(WireError) in
            try Parameters.nested(value, field: field, isStrict: isStrict, declared: declared)
        }
    }

    // MARK: One value

    /// A member, marked as read; `nil` when it is absent or null.
    package mutating func value(_ name: StaticString) -> JSONValue? {
        guard let (value, position) = object?.member(name) else { return nil }
        if position < 64 { read |= 1 << UInt64(position) }
        return value.isNull ? nil : value
    }

    func required<Value>(
        _ name: StaticString, _ value: Value?
    ) throws(WireError) -> Value {
        guard let value else { throw .missing(field(name)) }
        return value
    }

    /// What a member that holds objects is declared to hold.
    private func members(of name: StaticString) -> [Parameter]? {
        let name = "\(name)"
        return declared?.first { $0.name == name }?.shape.members
    }

    private static func nested(
        _ value: JSONValue, field: String, isStrict: Bool, declared: [Parameter]?
    ) throws(WireError) -> Parameters {
        guard let object = value.object else {
            throw .invalid(field, expected: "an object", got: value.kind.rawValue)
        }
        return Parameters(object, path: field + ".", isStrict: isStrict, declared: declared)
    }

    mutating func elements<Element>(
        _ name: StaticString, maximumCount: Int,
        _ read: (JSONValue, _ field: String) throws(WireError) -> Element
    ) throws(WireError) -> [Element]? {
        guard let value = value(name) else { return nil }
        guard let array = value.array else {
            throw .invalid(field(name), expected: "an array", got: value.kind.rawValue)
        }
        var elements: [Element] = []
        for value in array {
            guard elements.count < maximumCount else {
                throw tooMany(
                    field(name), "at most \(maximumCount) elements", limit: maximumCount)
            }
            elements.append(try read(value, "\(field(name))[\(elements.count)]"))
        }
        return elements
    }

    func tooMany(_ field: String, _ expected: String, limit: Int) -> WireError {
        var error = WireError.invalid(field, expected: expected, got: "more")
        error.limit = limit
        return error
    }
}
