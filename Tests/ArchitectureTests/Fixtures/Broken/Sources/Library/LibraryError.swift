package enum LibraryError: Error {
    case notFound
}
