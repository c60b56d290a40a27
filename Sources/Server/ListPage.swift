// Lists come in pages: `limit` and `cursor` in, entries and `next` out. A cursor is opaque to the
// client; inside it is the last row seen, so the next page is found by an index.

import Wire

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct ListPage<Cursor: Codable & Sendable>: Sendable {
    let limit: Int
    let cursor: Cursor?

    /// Reads `limit` and `cursor`.
    init(_ call: inout Call) throws(WireError) {
        limit = try call.params.optionalInteger("limit", in: 1...call.limits.pageEntries) ?? 100
        guard let text = try call.params.optionalString("cursor") else {
            cursor = nil
            return
        }
        let decoded = Base64.decode(Array(text.utf8)[...]).flatMap {
            try? JSONDecoder().decode(Cursor.self, from: Data($0))
        }
        guard let decoded else {
            throw .invalid("cursor", expected: "what `next` of the last page said", got: text)
        }
        cursor = decoded
    }

    /// Writes at most `limit` of the entries, and where to go on when there were more: `entries`
    /// has one more than `limit` when there is a next page.
    func write<Entry>(
        _ name: StaticString, _ entries: [Entry], _ result: inout JSONWriter,
        cursor: (Entry) -> Cursor, _ write: (inout JSONWriter, Entry) -> Void
    ) {
        let page = entries.prefix(limit)
        result.array(name, of: page, write)
        guard entries.count > limit, let last = page.last else { return }
        self.write(next: cursor(last), &result)
    }

    /// Writes where the next page begins.
    func write(next cursor: Cursor, _ result: inout JSONWriter) {
        guard let next = try? JSONEncoder().encode(cursor) else { return }
        result.member("next", Base64.encode(Array(next)))
    }
}
