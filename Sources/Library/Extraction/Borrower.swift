// What was read out of loan documents: a borrower, and what hangs on one.

package import Postgres
package import FoundationEssentials

package struct Borrower: Sendable, Equatable {
    package let sessionID: UUID
    package let id: UUID
    package let name: String
    /// Whether a social security number is known. Its hash is nobody's business.
    package let hasSSN: Bool
    /// A JSON object.
    package let address: JSON?
    /// How sure the reader was, in hundredths.
    package let confidence: Hundredths
    package let createdAt: Date
}

package struct Income: Sendable, Equatable {
    package enum Period: String, Sendable, Codable, CaseIterable {
        case annual, monthly, weekly, biweekly
    }

    package let id: UUID
    package let borrowerID: UUID
    package let amount: Hundredths
    package let period: Period
    package let year: Int
    package let sourceType: String
    package let employer: String?
}

package struct AccountNumber: Sendable, Equatable {
    package enum Kind: String, Sendable, Codable, CaseIterable {
        case bank, loan
    }

    package let id: UUID
    package let borrowerID: UUID
    package let kind: Kind
    /// All of the number that is ever shown.
    package let lastFour: String
}

/// A place in a document that proves a record.
package struct SourceReference: Sendable, Equatable {
    package let id: UUID
    package let borrowerID: UUID
    package let documentID: UUID
    package let fileName: String
    /// SHA-256 of the file, lower hex: which version of it this was.
    package let fileHash: String
    package let page: Int
    package let section: String?
    package let snippet: String
    /// In the document's text, in Unicode scalars.
    package let span: Range<Int>
    /// The smallest chunk around it; nil when none holds all of it, or it is gone.
    package let chunkID: UUID?
}

/// An exact number with two decimals, as `numeric(…,2)` keeps it.
package struct Hundredths: Sendable, Equatable, CustomStringConvertible {
    /// In units of the second decimal: 1234.50 is 123450.
    package let units: Int

    package init(_ units: Int) { self.units = units }

    /// `1234.50`, `-0.05`.
    package var description: String {
        let cents = units.magnitude % 100
        return (units < 0 ? "-" : "") + "\(units.magnitude / 100)." + (cents < 10 ? "0" : "")
            + "\(cents)"
    }

    var numeric: Numeric { Numeric(description) }
}
