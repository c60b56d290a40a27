// The protocol as a document: OpenRPC 1.3 (https://spec.open-rpc.org), made of the table of methods
// and nothing else. `rpc.discover` answers with it, `carrel describe` prints it.

import Accounts
package import Wire

/// What may be asked, for programs that read descriptions, and for tests.
package enum ProtocolDescription {
    /// A method as it describes itself.
    package struct Entry: Sendable {
        package let name: String
        package let summary: String
        /// What must come before: `greeting`, `initialized`, `nothing`, `account` or `session`.
        package let needs: String
        /// What the key must have been made for.
        package let scope: String?
        package let params: [Parameter]
    }

    /// Every method, as the families list them.
    package static let methods = Method.listed.map { method in
        let (needs, scope): (String, String?) =
            switch method.needs {
            case .greeting: ("greeting", nil)
            case .initialized: ("initialized", nil)
            case .nothing: ("nothing", nil)
            case .account(let scope): ("account", scope.rawValue)
            case .session(let scope): ("session", scope.rawValue)
            }
        return Entry(
            name: method.name, summary: method.summary, needs: needs, scope: scope,
            params: method.params)
    }

    /// The OpenRPC document, one line of JSON.
    package static let json: String = {
        var writer = JSONWriter(capacity: 1 << 16)
        writer.object { $0.describe() }
        return writer.text
    }()
}

extension JSONWriter {
    /// The members of the document.
    mutating func describe() {
        member("openrpc", "1.3.2")
        object("info") {
            $0.member("title", "Carrel")
            $0.member("version", Identity.protocolVersions[0])
            $0.member(
                "description",
                "Vector search inside one study session: JSON-RPC 2.0, one message a line, over TCP. "
                    + "`initialize` comes first and announces the limits; results and errors are "
                    + "in docs/protocol.md.")
        }
        array("methods", of: ProtocolDescription.methods) { writer, method in
            writer.object { $0.members(of: method) }
        }
        object("components") { writer in
            writer.object("contentDescriptors") { writer in
                for parameter in Parameter.common {
                    writer.key(parameter.name)
                    writer.descriptor(of: parameter)
                }
            }
            writer.object("errors") { writer in
                for kind in WireError.Kind.allCases {
                    writer.key(kind.rawValue)
                    writer.object {
                        $0.member("code", kind.code)
                        $0.member("message", kind.rawValue)
                    }
                }
            }
        }
    }

    private mutating func members(of method: ProtocolDescription.Entry) {
        member("name", method.name)
        member("summary", method.summary)
        array("tags") { writer in
            writer.object { $0.member("name", method.name.family) }
        }
        member("paramStructure", "by-name")
        array("params") { writer in
            for parameter in method.params { writer.descriptor(of: parameter) }
            for parameter in Parameter.common {
                writer.object {
                    $0.member("$ref", "#/components/contentDescriptors/\(parameter.name)")
                }
            }
        }
        object("result") { writer in
            writer.member("name", "result")
            writer.object("schema") { $0.member("type", "object") }
        }
        member("x-needs", method.needs)
        method.scope.map { member("x-scope", $0) }
    }
}

extension String {
    /// `document` of `document.upload.begin`.
    fileprivate var family: String { String(prefix { $0 != "." }) }
}
