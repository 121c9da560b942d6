#include "bennu/net/file_body.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace bennu::net {

Result<std::shared_ptr<const OpenFile>> OpenFile::open(const std::string& path) {
    // Without NONBLOCK a named pipe would hold the thread.
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        int code = errno;
        ErrorKind kind = code == ENOENT || code == ENOTDIR ? ErrorKind::not_found : ErrorKind::io;
        return Error(kind, "", std::generic_category().message(code)).with_context(path);
    }
    return adopt(fd, path);
}

Result<std::shared_ptr<const OpenFile>> OpenFile::of(std::string_view bytes) {
    int fd = ::memfd_create("text", MFD_CLOEXEC);
    if (fd < 0) return Error(ErrorKind::io, "", std::generic_category().message(errno));
    while (!bytes.empty()) {
        ssize_t count = ::write(fd, bytes.data(), bytes.size());
        if (count >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno != EINTR) {
            int code = errno;
            ::close(fd);
            return Error(ErrorKind::io, "", std::generic_category().message(code));
        }
    }
    return adopt(fd, "a file in memory");
}

Result<std::shared_ptr<const OpenFile>> OpenFile::adopt(int fd, const std::string& path) {
    struct stat info{};
    if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        ::close(fd);
        return Error(ErrorKind::not_found, "no_file", path + " is no file");
    }
    Timestamp modified{std::int64_t{info.st_mtim.tv_sec} * 1000 + info.st_mtim.tv_nsec / 1'000'000};
    auto identity = static_cast<std::uint64_t>(info.st_ino) * 0x9E3779B97F4A7C15ULL ^
                    static_cast<std::uint64_t>(info.st_ctim.tv_sec) * 1'000'000'007ULL ^
                    static_cast<std::uint64_t>(info.st_ctim.tv_nsec);
    return std::shared_ptr<const OpenFile>(
        new OpenFile(fd, static_cast<std::uint64_t>(info.st_size), modified, identity));
}

OpenFile::~OpenFile() {
    ::close(descriptor_);
}

std::string OpenFile::etag() const {
    return fmt::format("\"{:x}-{:x}\"", identity_, size_);
}

Result<std::string> OpenFile::read(std::uint64_t offset, std::size_t size) const {
    std::string bytes(size, '\0');
    std::size_t filled = 0;
    while (filled < size) {
        ssize_t count = ::pread(descriptor_, bytes.data() + filled, size - filled,
                                static_cast<off_t>(offset + filled));
        if (count == 0) break;
        if (count < 0) {
            if (errno == EINTR) continue;
            return Error(ErrorKind::io, "", std::generic_category().message(errno));
        }
        filled += static_cast<std::size_t>(count);
    }
    bytes.resize(filled);
    return bytes;
}

}  // namespace bennu::net
