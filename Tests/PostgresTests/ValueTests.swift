// Every type there and back, compared with what PostgreSQL itself makes of it.

import FoundationEssentials
import Postgres
import TestSupport
import Testing

@Suite("A value")
struct ValueTests {
    enum Mood: String, PostgresEncodable, PostgresDecodable { case calm = "CALM", wild = "Wi\"ld" }

    @Test("Random values of every type come back as they went", arguments: [1, 2, 3] as [UInt64])
    func roundTrip(seed: UInt64) async throws {
        var random = Seeded(seed)
        let samples = (0..<100).map { _ in Sample(using: &random) }
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                try await db.script(Sample.types)
                for (index, sample) in samples.enumerated() {
                    let row = try await db.query(Sample.echo, parameters: sample.parameters)[0]
                    #expect(try Sample(row: row) == sample, "seed \(seed), sample \(index)")
                }
            }
        }
    }

    @Test("COPY there and back keeps random rows of every type", arguments: [4, 5] as [UInt64])
    func copyRoundTrip(seed: UInt64) async throws {
        var random = Seeded(seed)
        let samples = (0..<2_000).map { _ in Sample(using: &random) }
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                try await db.script(Sample.types + ";" + Sample.table)
                let count = try await db.copyIn(into: "samples", columns: Sample.columns) { rows in
                    for (index, sample) in samples.enumerated() {
                        try await rows.row(values: [index] + sample.parameters)
                    }
                }
                #expect(count == samples.count)
                let columns = Sample.columns.joined(separator: ", ")
                var index = 0
                try await db.copyOut("SELECT \(columns) FROM samples ORDER BY position") { row in
                    let position: Int = try row.get(0)
                    let copied = try Sample(copied: row)
                    #expect(position == index)
                    #expect(copied == samples[index], "seed \(seed), row \(index)")
                    index += 1
                }
                #expect(index == samples.count)
            }
        }
    }

    @Test("Numbers are written and read as PostgreSQL writes them")
    func numeric() async throws {
        let cases: [(String, String)] = [
            ("0", "0"), ("-0", "0"), ("0.00", "0.00"), ("1", "1"), ("-1", "-1"), ("10000", "10000"),
            ("9999", "9999"), ("0.0001", "0.0001"), ("0.00001", "0.00001"), ("12.50", "12.50"),
            ("-123456789.987654321", "-123456789.987654321"), ("1e5", "100000"),
            ("1.5e-7", "0.00000015"),
            (".5", "0.5"), ("5.", "5"), ("+7", "7"), ("NaN", "NaN"), ("Infinity", "Infinity"),
            ("-Infinity", "-Infinity"), ("100000000000000000000", "100000000000000000000"),
            (
                "0." + String(repeating: "0", count: 100) + "1",
                "0." + String(repeating: "0", count: 100) + "1"
            ),
            (String(repeating: "9", count: 1000), String(repeating: "9", count: 1000)),
        ]
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                let echo = Statement("numeric", "SELECT $1::numeric, $1::numeric::text")
                for (sent, expected) in cases {
                    let row = try await db.query(echo, Numeric(sent))[0]
                    #expect(try row.get(0, as: Numeric.self).text == expected)
                    #expect(try row.get(1, as: String.self) == expected, "sent \(sent)")
                }
                for wrong in ["", "-", ".", "1.2.3", "1e", "0x10", "１", "1 ", "e5"] {
                    await #expect(throws: PostgresError.self, "\(wrong)") {
                        try await db.query(echo, Numeric(wrong))
                    }
                }
                #expect(try await db.query(echo, 42)[0].get(0, as: Double.self) == 42)
                #expect(try await db.query(echo, 0.1)[0].get(0, as: Numeric.self).text == "0.1")
            }
        }
    }

    @Test("Random numbers read as PostgreSQL's own text", arguments: [6] as [UInt64])
    func randomNumeric(seed: UInt64) async throws {
        var random = Seeded(seed)
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                let parse = Statement("parse", "SELECT $1::text::numeric, $2::numeric::text")
                for _ in 0..<500 {
                    let number = random.numeric()
                    let row = try await db.query(parse, number.text, number)[0]
                    #expect(try row.get(0) == number, "seed \(seed)")
                    #expect(try row.get(1) == number.text, "seed \(seed)")
                }
            }
        }
    }

    @Test("Times keep their microseconds; infinity is infinity; what is out of range is refused")
    func time() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                let echo = Statement(
                    "time", "SELECT $1::timestamptz, ($1::timestamptz AT TIME ZONE 'UTC')::text")
                let known = [
                    (0.0, "2001-01-01 00:00:00"), (0.000001, "2001-01-01 00:00:00.000001"),
                    (-0.000001, "2000-12-31 23:59:59.999999"),
                    (817_689_600.123456, "2026-11-30 00:00:00.123456"),
                    (-31_622_400, "2000-01-01 00:00:00"), (-31_622_400.5, "1999-12-31 23:59:59.5"),
                ]
                for (seconds, text) in known {
                    let date = Date(timeIntervalSinceReferenceDate: seconds)
                    let row = try await db.query(echo, date)[0]
                    #expect(try row.get(1) == text)
                    #expect(try row.get(0) == date)
                }
                for infinite in [Double.infinity, -.infinity] {
                    let date = Date(timeIntervalSinceReferenceDate: infinite)
                    let row = try await db.query(echo, date)[0]
                    #expect(try row.get(0, as: Date.self) == date)
                    #expect(try row.get(1) == (infinite > 0 ? "infinity" : "-infinity"))
                }
                for wrong in [Double.nan, 1e30, -1e30] {
                    await #expect(throws: PostgresError.self) {
                        try await db.query(echo, Date(timeIntervalSinceReferenceDate: wrong))
                    }
                }
            }
        }
    }

    @Test("Text reaches types that have no Swift counterpart")
    func textFallback() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                let row = try await db.query(
                    Statement(
                        "fallback",
                        """
                        SELECT ($1::interval)::text, ($2::point)::text, $3::jsonb, $4::uuid,
                               ($5::vector(3))::text, ($6::regclass)::text
                        """),
                    "90 minutes", "(1,2)", #"{"a": [1, null]}"#,
                    "0E984725-C51C-4BF4-9960-E1C80E27ABA0", "[1,2,3]", "pg_class")[0]
                #expect(try row.get(0) == "01:30:00")
                #expect(try row.get(1) == "(1,2)")
                #expect(try row.get(2, as: JSON.self).text == #"{"a": [1, null]}"#)
                #expect(try row.get(3) == UUID(uuidString: "0e984725-c51c-4bf4-9960-e1c80e27aba0")!)
                #expect(try row.get(4) == "[1,2,3]")
                #expect(try row.get(5) == "pg_class")
            }
        }
    }

    @Test("Arrays: empty, with NULLs, of enums, with every awkward character")
    func arrays() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                try await db.script(Sample.types)
                let row = try await db.query(
                    Statement(
                        "arrays",
                        """
                        SELECT $1::int[], ARRAY[1, NULL, 3], $2::mood[], ARRAY[]::text[],
                               ARRAY[[1, 2], [3, 4]]
                        """),
                    [Int](), [Mood.wild, .calm])[0]
                #expect(try row.get(0, as: [Int].self) == [])
                #expect(try row.get(1, as: [Int?].self) == [1, nil, 3])
                #expect(throws: PostgresError.self) { try row.get(1, as: [Int].self) }
                #expect(try row.get(2, as: [Mood].self) == [.wild, .calm])
                #expect(try row.get(3, as: [String].self) == [])
                #expect(throws: PostgresError.self) { try row.get(4, as: [Int].self) }
            }
        }
    }

    @Test("A vector's dimension is checked here and by its column")
    func vectors() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                let echo = Statement("vector", "SELECT $1::vector")
                await #expect(throws: PostgresError.self) {
                    try await db.query(echo, PostgresVector([]))
                }
                try await db.script("CREATE TABLE v (e vector(3))")
                let insert = Statement("insert", "INSERT INTO v VALUES ($1)")
                try await db.execute(insert, PostgresVector([1, 2, 3]))
                let error = await #expect(throws: PostgresError.self) {
                    try await db.execute(insert, PostgresVector([1, 2]))
                }
                #expect(error?.sqlState == .dataException)
                var block: [Float] = [9]
                let rows = try await db.query(Statement("read", "SELECT e FROM v"))
                #expect(try rows[0].appendVector(0, to: &block) == 3)
                #expect(block == [9, 1, 2, 3])
                #expect(throws: PostgresError.self) { try rows[0].get(0, as: [Float].self) }
            }
        }
    }

    @Test("The vector type is found even when its extension comes after the connection")
    func lateExtension() async throws {
        try await withDatabase { pool in
            try await pool.withConnection(as: .nobody) { db in
                try await db.script("DROP EXTENSION vector")
                await #expect(throws: PostgresError.self) {
                    try await db.query(Statement("v", "SELECT $1::vector"), PostgresVector([1]))
                }
                try await db.script("CREATE EXTENSION vector")
                let back: PostgresVector = try await db.query(
                    Statement("v", "SELECT $1::vector"), PostgresVector([1])
                ).single()
                #expect(back.values == [1])
            }
        }
    }

    @Test("Internet addresses are read and written in their usual form")
    func inet() {
        for text in ["192.0.2.1", "192.0.2.0/24", "::1", "2001:db8::/32", "0.0.0.0/0"] {
            #expect(INET(text)?.description == text)
        }
        for wrong in ["", "192.0.2", "192.0.2.1/33", "::1/129", "host", "1.2.3.4/", "1.2.3.4/-1"] {
            #expect(INET(wrong) == nil)
        }
    }
}

/// One value of every type.
private struct Sample: Equatable {
    var uuid: UUID
    var text: String
    var varchar: String
    var flag: Bool
    var int2: Int16
    var int4: Int32
    var int8: Int64
    var float4: Float
    var float8: Double
    var time: Date
    var json: JSON
    var number: Numeric
    var address: INET
    var bytes: [UInt8]
    var vector: PostgresVector
    var mood: ValueTests.Mood
    var uuids: [UUID]
    var texts: [String]
    var numbers: [Int]
    var optional: Int?

    static let types = "CREATE TYPE mood AS ENUM ('CALM', 'Wi\"ld')"
    static let sqlTypes = [
        "uuid", "text", "varchar(100)", "bool", "int2", "int4", "int8", "float4", "float8",
        "timestamptz", "jsonb", "numeric", "inet", "bytea", "vector", "mood", "uuid[]", "text[]",
        "int8[]", "int4",
    ]
    static let columns = ["position"] + sqlTypes.indices.map { "c\($0)" }
    static let table =
        "CREATE TABLE samples (position int, "
        + sqlTypes.enumerated().map { "c\($0) \($1)" }.joined(separator: ", ") + ")"
    static let echo = Statement(
        "echo",
        "SELECT "
            + sqlTypes.enumerated().map { "$\($0 + 1)::\($1)" }.joined(separator: ", "))

    var parameters: [(any PostgresEncodable)?] {
        [
            uuid, text, varchar, flag, int2, int4, int8, float4, float8, time, json, number,
            address,
            bytes, vector, mood, uuids, texts, numbers, optional,
        ]
    }

    init(using random: inout Seeded) {
        uuid = random.uuid()
        text = random.text(upTo: 200)
        varchar = String(random.text(upTo: 40).unicodeScalars.prefix(100).map(Character.init))
        flag = .random(using: &random)
        int2 = .random(in: .min ... .max, using: &random)
        int4 = .random(in: .min ... .max, using: &random)
        int8 = .random(in: .min ... .max, using: &random)
        float4 = .random(in: -1e30...1e30, using: &random)
        float8 = [
            .infinity, -0.0, .leastNonzeroMagnitude, .random(in: -1e300...1e300, using: &random),
        ]
        .randomElement(using: &random)!
        time = random.date()
        json = JSON("{\"n\": \(Int.random(in: 0...1_000, using: &random))}")
        number = random.numeric()
        address = random.inet()
        bytes = random.bytes(Int.random(in: 0...300, using: &random))
        vector = random.vector(Int.random(in: 1...800, using: &random))
        mood = Bool.random(using: &random) ? .calm : .wild
        uuids = (0..<Int.random(in: 0...3, using: &random)).map { _ in random.uuid() }
        texts = (0..<Int.random(in: 0...3, using: &random)).map { _ in random.text(upTo: 9) }
        numbers = (0..<Int.random(in: 0...3, using: &random)).map { _ in
            Int.random(in: .min ... .max, using: &random)
        }
        optional = Bool.random(using: &random) ? nil : 5
    }

    init(row: Row) throws {
        uuid = try row.get(0)
        text = try row.get(1)
        varchar = try row.get(2)
        flag = try row.get(3)
        int2 = try row.get(4)
        int4 = try row.get(5)
        int8 = try row.get(6)
        float4 = try row.get(7)
        float8 = try row.get(8)
        time = try row.get(9)
        json = try row.get(10)
        number = try row.get(11)
        address = try row.get(12)
        bytes = try row.get(13)
        vector = try row.get(14)
        mood = try row.get(15)
        uuids = try row.get(16)
        texts = try row.get(17)
        numbers = try row.get(18)
        optional = try row.get(19)
    }

    init(copied row: CopyRow) throws {
        uuid = try row.get(1)
        text = try row.get(2)
        varchar = try row.get(3)
        flag = try row.get(4)
        int2 = try row.get(5)
        int4 = try row.get(6)
        int8 = try row.get(7)
        float4 = try row.get(8)
        float8 = try row.get(9)
        time = try row.get(10)
        json = try row.get(11)
        number = try row.get(12)
        address = try row.get(13)
        bytes = try row.get(14)
        vector = try row.get(15)
        mood = try row.get(16)
        uuids = try row.get(17)
        texts = try row.get(18)
        numbers = try row.get(19)
        optional = try row.get(20)
    }
}
