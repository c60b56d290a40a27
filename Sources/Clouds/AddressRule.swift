// Which addresses may be asked on somebody else's behalf. Whoever names a URL makes this server
// send a request, from inside its network: to the machine itself, to its neighbours, to the service
// that hands out a virtual machine's credentials. None of those, unless the operator says so.

/// Decides about one address, just before it is connected to.
package struct AddressRule: Sendable, Equatable {
    private let allowed: [AddressRange]
    private let allowsEverything: Bool

    /// Public addresses, and besides them those.
    package init(allowing ranges: [AddressRange] = []) {
        allowed = ranges
        allowsEverything = false
    }

    private init(allowsEverything: Bool) {
        allowed = []
        self.allowsEverything = allowsEverything
    }

    /// For what the operator himself has named, such as the store of our own bytes.
    package static let anywhere = AddressRule(allowsEverything: true)

    package func permits(_ address: IPAddress) -> Bool {
        if allowsEverything || allowed.contains(where: { $0.contains(address) }) { return true }
        if address.bytes.count == 16, let embedded = Self.embedded(in: address) {
            return permits(embedded)
        }
        let isGlobal = address.bytes.count == 4 || Self.global6.contains(address)
        return isGlobal && !Self.special.contains { $0.contains(address) }
    }

    /// The address of version 4 that a translator (NAT64, RFC 6052) would connect to.
    private static func embedded(in address: IPAddress) -> IPAddress? {
        nat64.contains(address) ? IPAddress(bytes: Array(address.bytes[12...])) : nil
    }

    private static func ranges(_ texts: String...) -> [AddressRange] {
        texts.map { text in
            guard let range = AddressRange(text) else { preconditionFailure("\(text) is no range") }
            return range
        }
    }

    private static let nat64 = ranges("64:ff9b::/96")[0]

    /// All that is handed out of version 6 (RFC 4291, 2.4); everything else is local or unused.
    private static let global6 = ranges("2000::/3")[0]

    /// What is not for everybody to reach: the special-purpose registries of IANA (RFC 6890).
    private static let special = ranges(
        "0.0.0.0/8",  // this host
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  // private
        "100.64.0.0/10",  // shared by a carrier's customers
        "127.0.0.0/8",  // loopback
        "169.254.0.0/16",  // link-local: 169.254.169.254 gives out credentials
        "192.0.0.0/24", "192.88.99.0/24",  // protocols; relays of 6to4
        "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",  // documentation
        "198.18.0.0/15",  // benchmarks
        "224.0.0.0/4", "240.0.0.0/4",  // multicast; reserved and broadcast
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"  // protocols, documentation, 6to4
    )
}
