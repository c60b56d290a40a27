// The entries of a ZIP archive in memory. The only file that calls minizip.

import CMiniZip
import Documents
import Glibc

@safe struct ZipArchive: ~Copyable {
    private let zip: OpaquePointer
    private let bytes: UnsafeMutableRawBufferPointer

    init(_ content: [UInt8]) throws(DocumentError) {
        unsafe bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: content.count, alignment: 8)
        unsafe bytes.copyBytes(from: content)
        guard let zip = unsafe carrel_zip_open(bytes.baseAddress, bytes.count) else {
            unsafe bytes.deallocate()
            throw .damaged("the list of its parts is missing, so its end has been cut off")
        }
        unsafe self.zip = zip
    }

    deinit {
        unsafe carrel_zip_close(zip)
        unsafe bytes.deallocate()
    }

    /// The names of the first 4,096 entries; a document has some dozens.
    func names() -> [String] {
        var found: [String] = []
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1_024) { name in
            guard let base = name.baseAddress else { return }
            while found.count < 4_096,
                unsafe carrel_zip_next_name(zip, found.isEmpty ? 1 : 0, base, name.count) != 0
            {
                found.append(unsafe String(cString: base))
            }
        }
        return found
    }

    /// One entry unpacked; `nil` when there is none of that name.
    ///
    /// Throws `tooLarge` as soon as `limit` bytes have come out, whatever the header claims, so a
    /// bomb costs no more than that.
    func content(of name: String, limit: Int) throws(DocumentError) -> [UInt8]? {
        var content: UnsafeMutableRawPointer?
        var count = 0
        switch unsafe Int(carrel_zip_read(zip, name, limit, &content, &count)) {
        case CARREL_ZIP_OK:
            defer { unsafe free(content) }
            return unsafe [UInt8](UnsafeRawBufferPointer(start: content, count: count))
        case CARREL_ZIP_ABSENT: return nil
        case CARREL_ZIP_ENCRYPTED: throw .encrypted
        case CARREL_ZIP_TOO_LARGE:
            throw .tooLarge(.unpackedBytes, limit: limit, got: nil)
        case CARREL_ZIP_MEMORY: throw .outOfMemory(limitBytes: limit)
        default: throw .damaged("its part \(name) cannot be unpacked")
        }
    }
}
