// The files that wait to be imported.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "apps/assetronics/lib/imports/store.hpp"

namespace assetronics::imports {
namespace {

using namespace bennu;

Error cannot(std::string_view what, const std::string& path, int error) {
    const ErrorKind kind =
        error == ENOSPC || error == EDQUOT ? ErrorKind::unavailable : ErrorKind::io;
    return Error(kind, "file",
                 "cannot " + std::string(what) + " " + path + ": " + std::strerror(error));
}

/// A descriptor that closes itself; shared by the copies of a source.
struct Descriptor {
    explicit Descriptor(int number) : fd(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd >= 0) close(fd);
    }
    int fd;
};

/// Makes a new name in a folder survive a power cut.
void sync_folder(const std::string& path) {
    const Descriptor folder(open(std::filesystem::path(path).parent_path().c_str(),
                                 O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.fd >= 0) fsync(folder.fd);
}

/// 0, or what went wrong.
int write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return written < 0 ? errno : ENOSPC;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

int copy_all(int from, int to) {
    std::string piece(256 * 1024, '\0');
    while (true) {
        const ssize_t got = read(from, piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) return 0;
        const std::string_view bytes(piece.data(), static_cast<std::size_t>(got));
        if (const int error = write_all(to, bytes); error != 0) return error;
    }
}

/// A draft that `fill` writes, and that has the name once all of it is on disk.
template <typename Fill>
Result<> write_whole(const std::string& path, Fill fill) {
    const std::string draft = path + ".part";
    const Descriptor file(open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (file.fd < 0) return cannot("write", draft, errno);
    int error = fill(file.fd);
    if (error == 0 && fsync(file.fd) != 0) error = errno;
    if (error == 0 && rename(draft.c_str(), path.c_str()) != 0) error = errno;
    if (error != 0) {
        unlink(draft.c_str());
        return cannot("write", path, error);
    }
    sync_folder(path);
    return {};
}

}  // namespace

std::string file_of(const std::string& folder, Id id) {
    return folder + "/" + to_string(id) + ".csv";
}

Result<> keep_file(const std::string& path, std::string_view bytes) {
    return write_whole(path, [bytes](int file) { return write_all(file, bytes); });
}

Result<> take_file(const std::string& from, const std::string& path) {
    const Descriptor file(open(from.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.fd < 0) return cannot("read", from, errno);
    // It is on disk before it has the name under which it is found.
    if (fsync(file.fd) != 0) return cannot("write", from, errno);
    if (rename(from.c_str(), path.c_str()) == 0) {
        sync_folder(path);
        return {};
    }
    if (errno != EXDEV) return cannot("write", path, errno);
    Result<> copied = write_whole(path, [&](int copy) { return copy_all(file.fd, copy); });
    if (copied) unlink(from.c_str());
    return copied;
}

Result<CsvReader::Source> open_file(const std::string& path) {
    auto file = std::make_shared<Descriptor>(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file->fd < 0) return cannot("read", path, errno);
    return CsvReader::Source([file](std::uint64_t offset, std::span<char> into) -> std::size_t {
        while (true) {
            const ssize_t got =
                pread(file->fd, into.data(), into.size(), static_cast<off_t>(offset));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0)
                throw std::runtime_error("cannot read an import's file: " +
                                         std::string(std::strerror(errno)));
            return static_cast<std::size_t>(got);
        }
    });
}

void remove_file(const std::string& path) {
    unlink(path.c_str());
}

Result<> tidy_folder(const std::string& folder, const std::vector<Id>& keep) {
    constexpr auto age = std::chrono::minutes(10);
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    if (failure) return cannot("make", folder, failure.value());
    for (const auto& entry : std::filesystem::directory_iterator(folder, failure)) {
        const std::string path = entry.path().string();
        const bool wanted =
            std::ranges::any_of(keep, [&](Id id) { return path == file_of(folder, id); });
        const bool ours = path.ends_with(".csv") || path.ends_with(".csv.part");
        // A young one may belong to an import that is about to be recorded.
        const bool young =
            std::filesystem::file_time_type::clock::now() - entry.last_write_time(failure) < age;
        if (ours && !wanted && !young) unlink(path.c_str());
    }
    return {};
}

}  // namespace assetronics::imports
