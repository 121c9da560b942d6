#include "bennu/web/upload_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "bennu/base/bytes.hpp"
#include "bennu/base/log.hpp"
#include "bennu/base/random.hpp"
#include "bennu/runtime/offload.hpp"

namespace bennu::detail {

namespace fs = std::filesystem;

namespace {

Error failed(std::string_view what, const std::string& path, int code) {
    const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
    std::string message =
        fmt::format("cannot {} {}: {}", what, path, std::generic_category().message(code));
    if (!full) return Error(ErrorKind::io, "upload_folder", std::move(message));
    log_error("an upload found no room on the disk", {{"error", message}});
    return Error(ErrorKind::unavailable, "no_space", "There is no room for this upload right now.");
}

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    int get() const { return number_; }
    int take() { return std::exchange(number_, -1); }

  private:
    int number_;
};

/// 0, or what went wrong.
int write_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno;
        if (count == 0) return ENOSPC;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return 0;
}

int open_new(const std::string& path) {
    return ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/// Gives `fill` a new file beside the target, and then the target's name to that.
template <typename Fill>
Result<> write_beside(const std::string& target, Fill fill) {
    std::array<std::byte, 8> bytes;
    secure_random(bytes);
    const std::string draft = target + "." + base64url_encode(as_text(bytes)) + ".part";
    Descriptor file(open_new(draft));
    if (file.get() < 0) return failed("write", target, errno);
    int code = fill(file.get());
    if (code == 0 && ::close(file.take()) != 0) code = errno;
    if (code == 0 && ::rename(draft.c_str(), target.c_str()) != 0) code = errno;
    if (code == 0) return {};
    ::unlink(draft.c_str());
    return failed("write", target, code);
}

int copy_all(int from, int to) {
    std::string piece(256 * 1024, '\0');
    off_t at = 0;
    while (true) {
        const ssize_t count = ::pread(from, piece.data(), piece.size(), at);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno;
        if (count == 0) return 0;
        if (int code = write_all(to, std::string_view(piece).substr(0, count)); code != 0)
            return code;
        at += count;
    }
}

/// The folder that all processes of this user share. Nobody else may have a hand in it.
Result<> make_shared_folder(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failed("make", path, errno);
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0) return failed("look at", path, errno);
    if (S_ISDIR(info.st_mode) && info.st_uid == ::geteuid() && (info.st_mode & 077) == 0) return {};
    return Error(ErrorKind::io, "upload_folder",
                 path + " must be a folder of this user that nobody else can read or write");
}

/// The lock that says that a process lives; -1 when there is no folder, or another has it.
int lock_folder(const std::string& path) {
    Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (folder.get() < 0 || ::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) return -1;
    // Between the two calls another process may have taken it for left over.
    struct stat held{}, named{};
    const bool same = ::fstat(folder.get(), &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
                      held.st_ino == named.st_ino && held.st_dev == named.st_dev;
    return same ? folder.take() : -1;
}

void remove_left_overs(const std::string& shared) {
    std::error_code failure;
    std::size_t removed = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(shared, failure)) {
        const Descriptor lock(lock_folder(entry.path().string()));
        if (lock.get() < 0) continue;
        std::error_code ignored;
        fs::remove_all(entry.path(), ignored);
        ++removed;
    }
    if (removed > 0) log_info("removed uploads that were left behind", {{"folders", removed}});
}

}  // namespace

Result<std::shared_ptr<UploadFolder>> UploadFolder::open(std::string parent, std::uint64_t space) {
    std::error_code failure;
    if (parent.empty()) {
        parent = fs::temp_directory_path(failure).string();
    } else {
        fs::create_directories(parent, failure);
    }
    if (failure) return failed("use", parent, failure.value());
    const std::string shared = fmt::format("{}/bennu-uploads-{}", parent, ::geteuid());
    if (Result<> made = make_shared_folder(shared); !made) return std::move(made).error();
    remove_left_overs(shared);
    for (int attempt = 0; attempt < 10; ++attempt) {
        std::array<std::byte, 12> bytes;
        secure_random(bytes);
        std::string path = shared + "/" + base64url_encode(as_text(bytes));
        if (::mkdir(path.c_str(), 0700) != 0) return failed("make", path, errno);
        if (int lock = lock_folder(path); lock >= 0)
            return std::shared_ptr<UploadFolder>(new UploadFolder(std::move(path), lock, space));
    }
    return Error(ErrorKind::io, "upload_folder", "cannot lock a folder below " + shared);
}

UploadFolder::~UploadFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    ::close(lock_);
}

bool UploadFolder::reserve(std::uint64_t bytes) {
    if (used_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= space_) return true;
    release(bytes);
    return false;
}

Result<std::shared_ptr<UploadFile>> UploadFile::create(std::shared_ptr<UploadFolder> folder) {
    std::string path =
        fmt::format("{}/{}", folder->path(), folder->next_.fetch_add(1, std::memory_order_relaxed));
    const int descriptor = open_new(path);
    if (descriptor < 0) return failed("make", path, errno);
    return std::shared_ptr<UploadFile>(
        new UploadFile(std::move(folder), std::move(path), descriptor), [](UploadFile* file) {
            std::unique_ptr<UploadFile> owned(file);
            // Removing a large file takes its time. A queue that is full or ends destroys the job.
            if (on_shard())
                (void)default_executor().submit(
                    [owned = std::move(owned)]() mutable { owned.reset(); });
        });
}

UploadFile::~UploadFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!moved_) ::unlink(path_.c_str());
    folder_->release(size_);
}

Result<> UploadFile::append(std::string_view bytes) {
    if (!folder_->reserve(bytes.size())) {
        log_warning("an upload found no room in its folder", {{"folder", folder_->path()}});
        return Error(ErrorKind::unavailable, "no_space",
                     "There are too many uploads at once right now.");
    }
    size_ += bytes.size();
    if (int code = write_all(descriptor_, bytes); code != 0) return failed("write", path_, code);
    return {};
}

Result<> UploadFile::close() {
    if (::close(std::exchange(descriptor_, -1)) != 0) return failed("write", path_, errno);
    return {};
}

Result<> UploadFile::move_to(const std::string& target) {
    if (::rename(path_.c_str(), target.c_str()) != 0) {
        if (errno != EXDEV) return failed("move an upload to", target, errno);
        const Descriptor from(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
        if (from.get() < 0) return failed("read", path_, errno);
        Result<> copied =
            write_beside(target, [&](int descriptor) { return copy_all(from.get(), descriptor); });
        if (!copied) return copied;
        ::unlink(path_.c_str());
    }
    moved_ = true;
    path_ = target;
    return {};
}

Result<> write_whole_file(const std::string& target, std::string_view bytes) {
    return write_beside(target, [&](int descriptor) { return write_all(descriptor, bytes); });
}

}  // namespace bennu::detail
