import Vectors

// A comment may say SELECT id FROM pages; code may not.
let statement = "SELECT id FROM documents"

func refuse(_ error: LibraryError) {}
