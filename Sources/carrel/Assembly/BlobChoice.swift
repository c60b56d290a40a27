// Where a server keeps the bytes of documents.

import ArgumentParser
import Clouds
import Foundation
import Ingestion

enum BlobChoice: Sendable, Equatable {
    /// Under CARREL_HOME.
    case files
    case bucket(S3Bucket.Address, prefix: String)

    /// - Throws: `Failure` when the bucket cannot be asked: better now than with the first upload.
    func store(_ home: Home) async throws -> any BlobStore {
        guard case .bucket(let address, let prefix) = self else {
            return LocalBlobStore(directory: home.blobs)
        }
        do {
            let bucket = try S3Bucket(address, client: HTTPClient(rule: .anywhere))
            let store = BucketBlobStore(bucket: bucket, prefix: prefix, copies: home.copies)
            try await store.probe()
            return store
        } catch {
            throw Failure("the bucket for documents, \(address.bucket), cannot be used: \(error)")
        }
    }
}

struct BlobOptions: ParsableArguments {
    @Option(
        help: """
            Where documents' bytes go: s3://BUCKET/PREFIX (default: $CARREL_BLOBS, else files under \
            CARREL_HOME).
            """)
    var blobs: String?

    @Option(help: "The bucket's server, if it is not Amazon's (default: $CARREL_BLOBS_ENDPOINT).")
    var blobsEndpoint: String?

    @Option(help: "The bucket's region (default: $CARREL_BLOBS_REGION, else us-east-1).")
    var blobsRegion: String?

    func validate() throws { _ = try choice() }

    func choice() throws -> BlobChoice {
        guard let place = blobs ?? Home.environment("CARREL_BLOBS") else { return .files }
        guard place.hasPrefix("s3://") else {
            throw ValidationError("--blobs wants s3://BUCKET or s3://BUCKET/PREFIX, got \(place)")
        }
        let parts = place.dropFirst(5).split(separator: "/", omittingEmptySubsequences: true)
        guard let bucket = parts.first else { throw ValidationError("--blobs names no bucket") }
        guard let accessKey = Self.secret("ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
            let secretKey = Self.secret("SECRET_KEY", "AWS_SECRET_ACCESS_KEY")
        else {
            throw ValidationError(
                "--blobs wants CARREL_BLOBS_ACCESS_KEY and CARREL_BLOBS_SECRET_KEY to be set")
        }
        let region = blobsRegion ?? Home.environment("CARREL_BLOBS_REGION") ?? "us-east-1"
        let address = S3Bucket.Address(
            endpoint: blobsEndpoint ?? Home.environment("CARREL_BLOBS_ENDPOINT")
                ?? S3Bucket.Address.amazon(region: region),
            region: region, bucket: String(bucket),
            credentials: S3Credentials(accessKey: accessKey, secretKey: secretKey))
        do {
            _ = try S3Bucket(address, client: HTTPClient(rule: .anywhere))
        } catch {
            throw ValidationError("--blobs: \(error)")
        }
        let prefix = parts.dropFirst().map { $0 + "/" }.joined()
        return .bucket(address, prefix: prefix)
    }

    /// Our own variable, or the one that Amazon's tools read. Never an option: those are seen by all.
    private static func secret(_ ours: String, _ theirs: String) -> String? {
        Home.environment("CARREL_BLOBS_\(ours)") ?? Home.environment(theirs)
    }
}
