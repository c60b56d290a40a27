import Documents
import FoundationEssentials
import Testing

@Suite struct ContentIDTests {
    @Test("A UUIDv5 is the one RFC 9562 gives as its example")
    func example() throws {
        let dns = try #require(UUID(uuidString: "6ba7b810-9dad-11d1-80b4-00c04fd430c8"))
        let id = ContentID.uuid5(namespace: dns, name: "www.example.com")
        #expect(id.uuidString.lowercased() == "2ed6657d-e927-568b-95e1-2665a8aea6a2")
    }

    @Test("A chunk's id changes with its hash, its span and its kind")
    func distinct() {
        let hash = String(repeating: "a", count: 64)
        let ids = [
            ContentID.chunk(documentHash: hash, start: 0, end: 9, isParent: true),
            ContentID.chunk(documentHash: hash, start: 0, end: 9, isParent: false),
            ContentID.chunk(documentHash: hash, start: 0, end: 10, isParent: false),
            ContentID.chunk(documentHash: hash, start: 1, end: 9, isParent: false),
            ContentID.chunk(documentHash: hash + "b", start: 0, end: 9, isParent: false),
        ]
        #expect(Set(ids).count == ids.count)
    }
}
