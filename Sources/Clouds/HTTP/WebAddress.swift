internal import Foundation

/// An absolute URL of HTTP, taken apart. Nothing is decoded.
package struct WebAddress: Sendable, Equatable {
    package let scheme: String
    package let host: String
    package let port: Int?
    /// Encoded; begins with `/`, or is empty.
    package let path: String

    /// Nil for another scheme, without a host, with a user's name in it, or with a fragment.
    package init?(_ text: String) {
        guard text.utf8.count <= 2048,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }),
            let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            scheme == "http" || scheme == "https", parts.user == nil, parts.password == nil,
            parts.fragment == nil, let host = parts.encodedHost, !host.isEmpty
        else { return nil }
        self.scheme = scheme
        self.host = host.lowercased()
        port = parts.port
        path = parts.percentEncodedPath
    }

    /// `host` or `host:port`, as the `Host` header has it.
    package var authority: String {
        let usual = scheme == "https" ? 443 : 80
        return port.map { $0 == usual ? host : "\(host):\($0)" } ?? host
    }

    /// Scheme and authority.
    package var origin: String { "\(scheme)://\(authority)" }
}
