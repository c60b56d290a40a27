// The two XML documents of S3 that are read here: a listing, and the reason of a refusal.

internal import Foundation
internal import FoundationXML

/// An object of a bucket, as a listing has it.
package struct S3Object: Sendable, Equatable {
    package let key: String
    package let size: Int
    /// Without quotation marks. Says whether an object is still the one that was listed.
    package let etag: String
}

/// One page of a listing, in the order of keys.
package struct S3Listing: Sendable, Equatable {
    package var objects: [S3Object] = []
    /// Where the next page begins; nil on the last.
    package var next: String?
}

enum S3Answer {
    /// - Throws: `malformed`.
    static func listing(_ body: [UInt8]) throws(CloudError) -> S3Listing {
        let elements = try Elements(body)
        guard elements.root == "ListBucketResult" else {
            throw .malformed(reason: "not a listing")
        }
        let isEncoded = elements["EncodingType"] == "url"
        var listing = S3Listing()
        for entry in elements.groups {
            guard let written = entry["Key"],
                let key = isEncoded ? decoded(written) : written,
                let size = entry["Size"].flatMap({ Int($0) }), size >= 0
            else { throw .malformed(reason: "an object without key or size") }
            let etag = (entry["ETag"] ?? "").filter { $0 != "\"" }
            listing.objects.append(S3Object(key: key, size: size, etag: etag))
        }
        if elements["IsTruncated"] == "true" {
            guard let next = elements["NextContinuationToken"], !next.isEmpty else {
                throw .malformed(reason: "no place to go on from")
            }
            listing.next = next
        }
        return listing
    }

    /// The service's word for a refusal, if it looks like one.
    static func errorCode(_ body: [UInt8]) -> String {
        let code = (try? Elements(body))?["Code"] ?? ""
        let isWord = (1...64).contains(code.utf8.count) && code.allSatisfy(\.isLetter)
        return isWord ? code : "no reason given"
    }

    /// As forms encode: %XY, and + for a space.
    private static func decoded(_ text: String) -> String? {
        text.replacing("+", with: " ").removingPercentEncoding
    }
}

/// The texts of the elements right below the root, and of those below each `Contents`.
private final class Elements: NSObject, XMLParserDelegate {
    private(set) var root = ""
    private(set) var groups: [[String: String]] = []
    private var texts: [String: String] = [:]
    private var path: [String] = []
    private var text = ""

    init(_ body: [UInt8]) throws(CloudError) {
        super.init()
        let parser = XMLParser(data: Data(body))
        parser.shouldResolveExternalEntities = false
        parser.delegate = self
        guard parser.parse() else { throw .malformed(reason: "not XML") }
    }

    subscript(_ name: String) -> String? { texts[name] }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
        qualifiedName: String?, attributes: [String: String] = [:]
    ) {
        if path.isEmpty { root = name }
        path.append(name)
        text = ""
        if path.count == 2, name == "Contents" { groups.append([:]) }
        if path.count > 16 { parser.abortParsing() }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

    func parser(
        _ parser: XMLParser, didEndElement name: String, namespaceURI: String?,
        qualifiedName: String?
    ) {
        if path.count == 2 {
            texts[name] = text
        } else if path.count == 3, path[1] == "Contents" {
            groups[groups.count - 1][name] = text
        }
        path.removeLast()
        text = ""
    }
}
