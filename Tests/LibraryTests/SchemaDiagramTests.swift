import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("The diagram of the schema")
struct SchemaDiagramTests {
    @Test("docs/schema.md shows the tables as they are in a live database")
    func file() async throws {
        let file = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "docs/schema.md")
        let page = try String(contentsOf: file, encoding: .utf8)
        let drawn = try await withDatabase(migrated: true) { pool in
            try await pool.withConnection(as: .service) { db in
                try await SchemaDiagram.read(on: db).mermaid
            }
        }
        let parts = page.split(separator: "```", omittingEmptySubsequences: false)
        let shown = try #require(parts.first { $0.hasPrefix("mermaid\n") })
        #expect(
            shown == "mermaid\n" + drawn + "\n",
            "put what `carrel migrate diagram` prints into docs/schema.md")
        #expect(drawn.contains("documents ||--o{ pages : \"document_id, cascade\""))
    }
}
