// HTML and XML as a stream of events in document order. The only file that calls libxml2.
//
// The tree is walked by its own links, without recursion: nesting costs no stack, and libxml2 stops
// it at 256 levels for XML. External entities are never loaded and internal ones never expanded.

import CLibXML2
import Documents

enum MarkupEvent {
    /// Names are without prefix, as written (HTML: lower case).
    case open(String, attributes: [String: String])
    case text(String)
    case close(String)
}

enum Markup {
    /// Reads a web page, however badly it is written.
    ///
    /// - Parameters:
    ///   - bytes: The page.
    ///   - encoding: The encoding's name, or `nil` to take the one the page declares.
    ///   - visit: Called for each event.
    /// - Throws: what `visit` throws, and `damaged` when there is no markup to read at all.
    static func walkHTML(
        _ bytes: [UInt8], encoding: String?,
        _ visit: (MarkupEvent) throws(DocumentError) -> Void
    ) throws(DocumentError) {
        let options =
            HTML_PARSE_RECOVER.rawValue | HTML_PARSE_NOERROR.rawValue
            | HTML_PARSE_NOWARNING.rawValue | HTML_PARSE_NONET.rawValue
            | HTML_PARSE_COMPACT.rawValue
        let tree = unsafe bytes.withUnsafeBytes { buffer in
            unsafe htmlReadMemory(
                buffer.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(buffer.count),
                nil, encoding, Int32(bitPattern: options))
        }
        guard let tree = unsafe tree else { throw .damaged("it cannot be read as a web page") }
        defer { unsafe xmlFreeDoc(tree) }
        try unsafe walk(xmlDocGetRootElement(tree), visit)
    }

    /// Reads one XML part of a document.
    ///
    /// A document type declaration is refused: no office program writes one, and it is where entity
    /// bombs and external references live.
    static func walkXML(
        _ bytes: [UInt8], named name: String,
        _ visit: (MarkupEvent) throws(DocumentError) -> Void
    ) throws(DocumentError) {
        let options =
            XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue
            | XML_PARSE_COMPACT.rawValue | XML_PARSE_NOCDATA.rawValue
        if firstIndex(of: "<!DOCTYPE", in: bytes[...]) != nil {
            throw .damaged("its part \(name) declares a document type, which no program writes")
        }
        let tree = unsafe bytes.withUnsafeBytes { buffer in
            unsafe xmlReadMemory(
                buffer.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(buffer.count),
                nil, nil, Int32(bitPattern: options))
        }
        guard let tree = unsafe tree else { throw .damaged("its part \(name) is not valid XML") }
        defer { unsafe xmlFreeDoc(tree) }
        try unsafe walk(xmlDocGetRootElement(tree), visit)
    }

    private static func walk(
        _ root: xmlNodePtr?, _ visit: (MarkupEvent) throws(DocumentError) -> Void
    ) throws(DocumentError) {
        var next = unsafe root
        while let node = unsafe next {
            switch unsafe node.pointee.type {
            case XML_ELEMENT_NODE:
                let name = unsafe string(node.pointee.name)
                unsafe try visit(.open(name, attributes: attributes(of: node)))
                if let child = unsafe node.pointee.children {
                    unsafe next = child
                    continue
                }
                try visit(.close(name))
            case XML_TEXT_NODE, XML_CDATA_SECTION_NODE:
                unsafe try visit(.text(string(node.pointee.content)))
            default:
                break
            }
            unsafe next = try following(node, root, visit)
        }
    }

    /// The next node past the end of this one, closing what ends with it.
    private static func following(
        _ node: xmlNodePtr, _ root: xmlNodePtr?,
        _ visit: (MarkupEvent) throws(DocumentError) -> Void
    ) throws(DocumentError) -> xmlNodePtr? {
        var current = unsafe node
        while unsafe current != root {
            if let sibling = unsafe current.pointee.next { return unsafe sibling }
            guard let parent = unsafe current.pointee.parent else { return nil }
            unsafe current = parent
            unsafe try visit(.close(string(current.pointee.name)))
        }
        return nil
    }

    private static func attributes(of node: xmlNodePtr) -> [String: String] {
        var found: [String: String] = [:]
        var next = unsafe node.pointee.properties
        while let attribute = unsafe next {
            let value = unsafe attribute.pointee.children?.pointee.content
            found[unsafe string(attribute.pointee.name)] =
                unsafe value.map { unsafe string($0) } ?? ""
            unsafe next = attribute.pointee.next
        }
        return found
    }

    private static func string(_ text: UnsafePointer<xmlChar>?) -> String {
        unsafe text.map { unsafe String(cString: $0) } ?? ""
    }
}
