// What a sealed value belongs to. It opens there and nowhere else.

package import FoundationEssentials

/// One column of one row of one account.
package struct SealedPlace: Sendable, Equatable {
    /// What is sealed; the raw value goes into keys and stays as it is for ever.
    package enum Purpose: String, Sendable, CaseIterable {
        case totpSecret = "totp-secret"
        case cloudCredentials = "cloud-credentials"
        case accountNumber = "account-number"
    }

    let purpose: Purpose
    let profile: UUID
    let row: [UUID]

    /// The row is named by its primary key, all columns of it, so its id is made before it is stored.
    package init(_ purpose: Purpose, of profile: UUID, row: UUID...) {
        precondition(!row.isEmpty, "a sealed value belongs to a row")
        self.purpose = purpose
        self.profile = profile
        self.row = row
    }

    /// Where the number of a borrower's account is.
    package static func accountNumber(
        _ id: UUID, in session: UUID, of profile: UUID
    ) -> SealedPlace {
        SealedPlace(.accountNumber, of: profile, row: session, id)
    }

    /// Purpose, a zero that ends it, the ids. Which account is in the key.
    var associatedData: [UInt8] {
        Array(purpose.rawValue.utf8) + [0] + row.flatMap(\.bytes)
    }
}

/// What is hashed with a key; the raw value stays as it is for ever.
package enum HashPurpose: String, Sendable, CaseIterable {
    case socialSecurityNumber = "social-security-number"
}

extension UUID {
    /// Its 16 bytes, in the order they are written.
    var bytes: [UInt8] {
        let b = uuid
        return [
            b.0, b.1, b.2, b.3, b.4, b.5, b.6, b.7, b.8, b.9, b.10, b.11, b.12, b.13, b.14, b.15,
        ]
    }
}
