func translate(_ error: LibraryError) {}
