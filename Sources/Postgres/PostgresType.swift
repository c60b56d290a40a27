// The types of parameters and columns, by meaning rather than by number.
//
// Built-in types have fixed OIDs (src/include/catalog/pg_type.dat). Those of extensions and enums
// differ from database to database: a connection looks them up the first time it meets one.

/// A column's or parameter's type, as far as this module can write and read it.
package enum PostgresType: Sendable, Hashable {
    case scalar(Scalar)
    case array(Scalar)
    /// Something else. Text can still be sent to it: the server parses it.
    case other(oid: UInt32)

    package enum Scalar: Sendable, Hashable {
        case bool, int2, int4, int8, oid, float4, float8, numeric
        case text, varchar, bpchar, name, char, unknown
        case uuid, bytea, json, jsonb, date, timestamp, timestamptz, inet, cidr
        /// pgvector's `vector`.
        case vector
        /// Any enum type; its binary form is its label.
        case enumeration

        /// Whether the binary form is simply the text.
        var isText: Bool {
            switch self {
            case .text, .varchar, .bpchar, .name, .char, .unknown, .enumeration, .json: true
            default: false
            }
        }
    }
}

extension PostgresType {
    /// A built-in type, or nil when the connection has to ask what this is.
    init?(builtIn oid: UInt32) {
        if let scalar = Scalar(oid: oid) {
            self = .scalar(scalar)
        } else if let element = Scalar(arrayOID: oid) {
            self = .array(element)
        } else if oid < PostgresType.firstUserOID {
            self = .other(oid: oid)
        } else {
            return nil
        }
    }

    /// FirstNormalObjectId in src/include/access/transam.h.
    static let firstUserOID: UInt32 = 16384
}

extension PostgresType.Scalar {
    /// One row per built-in type: the type, its OID, its array's OID.
    private static let table: [(PostgresType.Scalar, oid: UInt32, array: UInt32)] = [
        (.bool, 16, 1000), (.bytea, 17, 1001), (.char, 18, 1002), (.name, 19, 1003),
        (.int8, 20, 1016), (.int2, 21, 1005), (.int4, 23, 1007), (.text, 25, 1009),
        (.oid, 26, 1028), (.json, 114, 199), (.float4, 700, 1021), (.float8, 701, 1022),
        (.unknown, 705, 0), (.inet, 869, 1041), (.cidr, 650, 651), (.bpchar, 1042, 1014),
        (.varchar, 1043, 1015), (.date, 1082, 1182), (.timestamp, 1114, 1115),
        (.timestamptz, 1184, 1185), (.numeric, 1700, 1231), (.uuid, 2950, 2951),
        (.jsonb, 3802, 3807),
    ]

    init?(oid: UInt32) {
        guard let row = Self.table.first(where: { $0.oid == oid }) else { return nil }
        self = row.0
    }

    init?(arrayOID oid: UInt32) {
        guard oid != 0, let row = Self.table.first(where: { $0.array == oid }) else { return nil }
        self = row.0
    }

    /// The OID of a built-in type; nil for `vector` and enums, which have none of their own.
    var oid: UInt32? { Self.table.first { $0.0 == self }?.oid }
}

extension PostgresType: CustomStringConvertible {
    package var description: String {
        switch self {
        case .scalar(let type): "\(type)"
        case .array(let type): "\(type)[]"
        case .other(let oid): "the type with OID \(oid)"
        }
    }
}
