import Accounts
import Testing

@Suite("One-time passwords by time")
struct TOTPTests {
    private let totp = TOTP(secret: Array("12345678901234567890".utf8))

    @Test("The codes of RFC 4226, appendix D, come of their counters")
    func counters() {
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ]
        for (counter, code) in codes.enumerated() {
            #expect(totp.code(step: Int64(counter)) == code)
        }
    }

    @Test(
        "The codes of RFC 6238, appendix B, come of their times",
        arguments: [
            (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"), (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] as [(Int64, String)])
    func times(seconds: Int64, code: String) {
        #expect(totp.code(step: TOTP.step(at: seconds), digits: 8) == code)
        #expect(totp.code(step: TOTP.step(at: seconds)) == code.suffix(6))
    }

    @Test("A code is of the step before, this one or the next, and of no other")
    func window() {
        for offset in -3...3 as ClosedRange<Int64> {
            let found = totp.step(of: totp.code(step: 1000 + offset), around: 1000)
            #expect(found == (abs(offset) <= 1 ? 1000 + offset : nil))
        }
        for wrong in ["", "75522", "7552240", "75522a", "７５５２２４"] {
            #expect(totp.step(of: wrong, around: 0) == nil)
        }
    }

    @Test("The secret is written in base32 without padding, as authenticator apps read it")
    func base32() {
        // RFC 4648, section 10.
        for (text, encoded) in [
            ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI"),
        ] {
            #expect(TOTP(secret: Array(text.utf8)).base32 == encoded)
        }
        #expect(
            totp.uri(account: "ada")
                == "otpauth://totp/Carrel:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                + "&issuer=Carrel&algorithm=SHA1&digits=6&period=30")
        #expect(TOTP.random() != TOTP.random())
        #expect(TOTP.random().base32.count == 32)
    }
}
