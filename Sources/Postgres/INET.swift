// `inet` and `cidr`: family, prefix length, is-cidr flag, length, address
// (network_recv in src/backend/utils/adt/network.c).

internal import Glibc

/// An IPv4 or IPv6 address with its prefix length.
package struct INET: Sendable, Hashable {
    /// 4 or 16 bytes.
    package let address: [UInt8]
    package let prefixLength: Int

    /// `192.0.2.1`, `192.0.2.0/24`, `2001:db8::1/64`; nil when it is none of those.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let host = parts.first, !text.utf8.contains(0) else { return nil }
        let isV6 = host.contains(":")
        var bytes = [UInt8](repeating: 0, count: isV6 ? 16 : 4)
        let family = isV6 ? AF_INET6 : AF_INET
        guard unsafe inet_pton(family, String(host), &bytes) == 1 else { return nil }
        var prefix = bytes.count * 8
        if parts.count == 2 {
            guard let value = Int(parts[1]), (0...prefix).contains(value) else { return nil }
            prefix = value
        }
        address = bytes
        prefixLength = prefix
    }

    private init(address: [UInt8], prefixLength: Int) {
        self.address = address
        self.prefixLength = prefixLength
    }

    private var isV6: Bool { address.count == 16 }
}

extension INET: CustomStringConvertible {
    package var description: String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = isV6 ? AF_INET6 : AF_INET
        let text = unsafe inet_ntop(family, address, &buffer, socklen_t(buffer.count)).map {
            unsafe String(cString: $0)
        }
        let host = text ?? ""
        return prefixLength == address.count * 8 ? host : "\(host)/\(prefixLength)"
    }
}

extension INET: PostgresEncodable, PostgresDecodable {
    /// PGSQL_AF_INET and PGSQL_AF_INET6 in src/include/utils/inet.h; the numbers are Linux's AF_INET
    /// and the one after it.
    private static let familyV4: UInt8 = 2
    private static let familyV6: UInt8 = 3

    package func encode(as type: PostgresType, into buffer: inout WireBuffer)
        throws(EncodingFailure)
    {
        let isCIDR: Bool
        switch type {
        case .scalar(.inet): isCIDR = false
        case .scalar(.cidr): isCIDR = true
        default: throw .mismatch("INET", type)
        }
        buffer.append([
            isV6 ? INET.familyV6 : INET.familyV4, UInt8(prefixLength), isCIDR ? 1 : 0,
            UInt8(address.count),
        ])
        buffer.append(address)
    }

    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType)
        throws(DecodingFailure) -> INET
    {
        guard type == .scalar(.inet) || type == .scalar(.cidr) else {
            throw .mismatch("INET", type)
        }
        guard bytes.count >= 4, bytes.count == 4 + Int(bytes[3]), [4, 16].contains(bytes[3]),
            bytes[1] <= 8 * bytes[3]
        else { throw .truncated }
        return INET(address: bytes.array(4..<bytes.count), prefixLength: Int(bytes[1]))
    }
}
