import Clouds
import Testing

@Suite("Which addresses may be asked")
struct AddressRuleTests {
    private static let inside = [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.255", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.1.1", "198.18.0.1",
        "198.51.100.7", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "fe80::1", "fc00::1",
        "fd00:ec2::254", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "64:ff9b::7f00:1",
        "64:ff9b::a00:1", "64:ff9b:1::1", "3fff::1", "100::1", "5f00::1",
    ]

    @Test("What lies inside or nowhere is refused", arguments: inside)
    func refused(text: String) throws {
        #expect(!AddressRule().permits(try #require(IPAddress(text))))
        #expect(AddressRule.anywhere.permits(try #require(IPAddress(text))))
    }

    @Test(
        "What is public is permitted",
        arguments: [
            "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
            "128.0.0.1", "172.15.255.255", "172.32.0.0", "192.167.255.255", "198.17.0.1",
            "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "64:ff9b::101:101",
            "::ffff:1.1.1.1",
        ])
    func permitted(text: String) throws {
        #expect(AddressRule().permits(try #require(IPAddress(text))))
    }

    @Test("What the operator allows is permitted, and nothing beside it")
    func allowed() throws {
        let ranges = try ["10.1.0.0/16", "127.0.0.1", "fd00::/9"].map {
            try #require(AddressRange($0))
        }
        let rule = AddressRule(allowing: ranges)
        for text in ["10.1.255.255", "127.0.0.1", "::ffff:127.0.0.1", "fd7f::1"] {
            #expect(rule.permits(try #require(IPAddress(text))), "\(text)")
        }
        for text in ["10.2.0.0", "127.0.0.2", "fd80::1", "::1"] {
            #expect(!rule.permits(try #require(IPAddress(text))), "\(text)")
        }
    }

    @Test(
        "What is no range is none",
        arguments: ["", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "10.0.0.0/8/8", "::/129", "host"])
    func noRange(text: String) {
        #expect(AddressRange(text) == nil)
    }
}
