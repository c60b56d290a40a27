// Enum columns arrive as their labels; our enums have the labels as raw values.

internal import Postgres

extension Row {
    /// An enum column. A label this program does not know means the database is newer than it.
    func label<T: RawRepresentable>(_ column: Int) throws(PostgresError) -> T
    where T.RawValue == String {
        let label: String = try get(column)
        guard let value = T(rawValue: label) else {
            throw .decoding("\(T.self) has no case for the label \(label)")
        }
        return value
    }
}
