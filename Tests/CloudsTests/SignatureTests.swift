// The vectors Amazon publishes: the general suite of Signature Version 4, and S3's own examples.

import Clouds
import Foundation
import Testing

@Suite("Signature Version 4")
struct SignatureTests {
    struct Vector: Sendable {
        var method = "GET"
        var path = "/"
        var query: [(name: String, value: String)] = []
        var headers: [(name: String, value: String)]
        var payload = ""
        let signature: String
    }

    private static let emptyHash =
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    /// aws-sig-v4-test-suite: get-vanilla, get-vanilla-query-order-key-case.
    private static let generalVectors = [
        Vector(
            headers: [("Host", "example.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z")],
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        Vector(
            query: [("Param2", "value2"), ("Param1", "value1")],
            headers: [("Host", "example.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z")],
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    ]

    /// aws-c-auth, tests/aws-signing-test-suite/v4: those without `normalize`, as S3 signs, in which a name is
    /// whatever its bytes are. get-relative-unnormalized, get-relative-relative-unnormalized,
    /// get-slash-dot-slash-unnormalized, get-slash-pointless-dot-unnormalized, get-slashes-unnormalized,
    /// get-space-unnormalized, get-utf8, get-unreserved.
    private static let namesAsTheyAre = [
        ("/example/..", "eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184887ff9282"),
        (
            "/example1/example2/../..",
            "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b"
        ),
        ("/./", "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145"),
        ("/./example", "beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff"),
        ("//example//", "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5"),
        ("/example space/", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
        ("/ሴ", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        (
            "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"
        ),
    ].map { name, signature in
        Vector(
            path: SignatureV4.encoded(name, keepingSlashes: true),
            headers: [("Host", "example.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z")],
            signature: signature)
    }

    @Test(
        "The general vectors come out as published, paths not normalized",
        arguments: generalVectors + namesAsTheyAre)
    func general(vector: Vector) {
        let signer = SignatureV4(
            S3Credentials(
                accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            region: "us-east-1", service: "service")
        let value = signer.authorization(
            method: vector.method, path: vector.path, query: vector.query, headers: vector.headers,
            payloadHash: Self.emptyHash, date: Date(timeIntervalSince1970: 1_440_938_160))
        #expect(
            value
                == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                + "SignedHeaders=host;x-amz-date, Signature=\(vector.signature)")
    }

    private static let host = (name: "Host", value: "examplebucket.s3.amazonaws.com")
    private static let date = (name: "x-amz-date", value: "20130524T000000Z")

    /// Amazon S3 API reference, "Authenticating requests: examples".
    private static let s3Vectors = [
        Vector(
            path: "/test.txt",
            headers: [
                host, ("Range", "bytes=0-9"), ("x-amz-content-sha256", emptyHash), date,
            ], signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        Vector(
            method: "PUT", path: "/" + SignatureV4.encoded("test$file.text"),
            headers: [
                ("Date", "Fri, 24 May 2013 00:00:00 GMT"), host, date,
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                (
                    "x-amz-content-sha256",
                    "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
                ),
            ], payload: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        Vector(
            query: [("lifecycle", "")],
            headers: [host, ("x-amz-content-sha256", emptyHash), date],
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        Vector(
            query: [("prefix", "J"), ("max-keys", "2")],
            headers: [host, ("x-amz-content-sha256", emptyHash), date],
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ]

    @Test("S3's examples come out as published", arguments: s3Vectors)
    func s3(vector: Vector) {
        let signer = SignatureV4(
            S3Credentials(
                accessKey: "AKIAIOSFODNN7EXAMPLE",
                secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            region: "us-east-1")
        let value = signer.authorization(
            method: vector.method, path: vector.path, query: vector.query, headers: vector.headers,
            payloadHash: vector.payload.isEmpty ? Self.emptyHash : vector.payload,
            date: Date(timeIntervalSince1970: 1_369_353_600))
        #expect(value.hasSuffix("Signature=\(vector.signature)"))
    }

    @Test("Every byte but the unreserved ones is encoded, in upper case")
    func encoding() {
        #expect(SignatureV4.encoded("a b/ü+~") == "a%20b%2F%C3%BC%2B~")
        #expect(SignatureV4.encoded("a b/c", keepingSlashes: true) == "a%20b/c")
    }

    @Test("A credential does not describe itself")
    func secrecy() {
        let credentials = S3Credentials(accessKey: "AKIA", secretKey: "hidden")
        #expect(!"\(credentials)".contains("hidden"))
        #expect(!String(reflecting: credentials).contains("hidden"))
        #expect(!"\([credentials])".contains("hidden"))
    }
}
