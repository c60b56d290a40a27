import Accounts
import Testing

@Suite("Names and passwords")
struct NameTests {
    @Test(
        "A handle of other characters, too short or too long is refused",
        arguments: [
            "", "a", "Ada", "-ada", ".ada", "a b", "ä1", "ada\n", String(repeating: "a", count: 33),
        ])
    func handles(handle: String) throws {
        #expect(throws: AccountError.self) {
            try AccountName(handle: handle, email: "ada@example.org")
        }
        _ = try AccountName(handle: "a.d_a-1", email: "ada@example.org")
    }

    @Test(
        "What is no address is refused",
        arguments: [
            "", "ada", "@example.org", "ada@", "ada@@example.org", "a da@example.org",
            "ada@exa_mple.org", "ada@-example.org", "ada@example..org", ".ada@example.org",
            "ada.@example.org", "ada@example.org\n", "\"ada\"@example.org", "ädä@example.org",
            String(repeating: "a", count: 65) + "@example.org",
            "a@" + String(repeating: "b.", count: 130) + "org",
        ])
    func addresses(email: String) {
        #expect(throws: AccountError.self) { try AccountName(handle: "ada", email: email) }
    }

    @Test(
        "Ordinary addresses are taken as they are spelled",
        arguments: [
            "ada@example.org", "Ada.Lovelace+notes@Mail.Example.ORG", "owner@localhost", "x@y.z",
            "o'neil@example.org",
        ])
    func goodAddresses(email: String) throws {
        #expect(try AccountName(handle: "ada", email: email).email == email)
    }

    @Test("A new password has 8 to 1,024 bytes; longer ones are refused, not cut")
    func passwords() throws {
        _ = try Password(new: "12345678")
        _ = try Password(new: String(repeating: "x", count: 1024))
        for text in ["", "1234567", String(repeating: "x", count: 1025)] {
            #expect(
                throws: AccountError.invalid(
                    field: "password",
                    reason: "expected 8 to 1024 bytes, got \(text.utf8.count)")
            ) { try Password(new: text) }
        }
    }
}
