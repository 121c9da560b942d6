#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bennu/base/result.hpp"

namespace bennu::detail {

/// Where the files of uploads are while their requests run: a folder of this process alone, below
/// `bennu-uploads-UID` of the folder that the endpoint names, readable by nobody else. Locked while
/// the process lives, so that the next one can tell what was left behind, and removes it. Any
/// thread. Private to this area.
class UploadFolder {
  public:
    /// Blocks. `parent` empty: the system's folder for temporary files. `space`: what all files
    /// together may take, in bytes.
    static Result<std::shared_ptr<UploadFolder>> open(std::string parent, std::uint64_t space);
    ~UploadFolder();
    UploadFolder(const UploadFolder&) = delete;
    UploadFolder& operator=(const UploadFolder&) = delete;

    const std::string& path() const { return path_; }
    std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }

  private:
    friend class UploadFile;
    UploadFolder(std::string path, int lock, std::uint64_t space)
        : path_(std::move(path)), lock_(lock), space_(space) {}
    bool reserve(std::uint64_t bytes);
    void release(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

    std::string path_;
    int lock_;
    std::uint64_t space_;
    std::atomic<std::uint64_t> used_{0};
    std::atomic<std::uint64_t> next_{0};
};

/// A file in that folder; it goes with its last owner, unless it was moved away. Everything but
/// `path` and `size` blocks; one thread at a time.
class UploadFile {
  public:
    /// The last owner's shard does not wait until the file is gone.
    static Result<std::shared_ptr<UploadFile>> create(std::shared_ptr<UploadFolder> folder);
    ~UploadFile();
    UploadFile(const UploadFile&) = delete;
    UploadFile& operator=(const UploadFile&) = delete;

    const std::string& path() const { return path_; }
    std::uint64_t size() const { return size_; }

    /// `unavailable`, code `no_space`, when the disk or the folder's share of it is full.
    Result<> append(std::string_view bytes);
    /// After the last `append`.
    Result<> close();
    /// A rename, or a copy where that is on another file system. Replaces what is there.
    Result<> move_to(const std::string& target);

  private:
    UploadFile(std::shared_ptr<UploadFolder> folder, std::string path, int descriptor)
        : folder_(std::move(folder)), path_(std::move(path)), descriptor_(descriptor) {}

    std::shared_ptr<UploadFolder> folder_;
    std::string path_;
    int descriptor_;
    std::uint64_t size_ = 0;
    bool moved_ = false;
};

/// Writes bytes under a name, whole or not at all. Blocks.
Result<> write_whole_file(const std::string& target, std::string_view bytes);

}  // namespace bennu::detail
