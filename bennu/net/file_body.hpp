#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bennu/base/result.hpp"
#include "bennu/base/shared.hpp"
#include "bennu/base/time.hpp"

namespace bennu::net {

/// A regular file that is open for reading, shared by the responses that send it.
class OpenFile {
  public:
    /// Blocks: call it in an offload. `not_found` also for what is no regular file.
    static Result<std::shared_ptr<const OpenFile>> open(const std::string& path);
    /// A file without a name that holds these bytes, in memory: for text that is sent so often that
    /// the kernel shall have it.
    static Result<std::shared_ptr<const OpenFile>> of(std::string_view bytes);
    ~OpenFile();
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    int descriptor() const { return descriptor_; }
    std::uint64_t size() const { return size_; }
    Timestamp modified() const { return modified_; }
    /// Changes whenever inode, size or time of change do.
    std::string etag() const;

    /// Up to `size` bytes from `offset`; fewer at the file's end. Blocks.
    Result<std::string> read(std::uint64_t offset, std::size_t size) const;

  private:
    /// Takes the descriptor, also when it fails.
    static Result<std::shared_ptr<const OpenFile>> adopt(int fd, const std::string& path);
    OpenFile(int descriptor, std::uint64_t size, Timestamp modified, std::uint64_t identity)
        : descriptor_(descriptor), size_(size), modified_(modified), identity_(identity) {}

    int descriptor_;
    std::uint64_t size_;
    Timestamp modified_;
    std::uint64_t identity_;
};

/// A range of a file as a body. A plain connection lets the kernel send it; elsewhere it is taken
/// from `text` or read in pieces, off the shard. A file that turns out shorter ends the connection.
struct FileBody {
    std::shared_ptr<const OpenFile> file;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    Shared<std::string> text = {};  ///< all of the file, if it is in memory as well

    /// The range within `text`, which must be there.
    std::string_view view() const { return std::string_view(*text).substr(offset, length); }
};

}  // namespace bennu::net
