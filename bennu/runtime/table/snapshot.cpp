#include "bennu/runtime/table/snapshot.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "bennu/runtime/shard.hpp"

namespace bennu::detail {

namespace {

constexpr std::array<char, 8> magic{'B', 'E', 'N', 'N', 'U', 'T', 'B', 'L'};
constexpr std::uint32_t format = 1;

struct Header {
    std::array<char, 8> magic;
    std::uint32_t format;
    std::uint32_t version;
    std::uint64_t types;
    std::uint64_t count;
    std::uint64_t size;      ///< of what follows the header
    std::uint64_t checksum;  ///< of what follows the header
};
static_assert(std::is_trivially_copyable_v<Header> && sizeof(Header) == 48);

/// FNV-1a over words, folded: finds damage, not malice.
std::uint64_t checksum_of(std::string_view bytes) {
    std::uint64_t hash = 0xCBF29CE484222325ULL ^ bytes.size();
    while (!bytes.empty()) {
        std::uint64_t word = 0;
        std::size_t size = std::min(bytes.size(), sizeof(word));
        std::memcpy(&word, bytes.data(), size);
        bytes.remove_prefix(size);
        hash = (hash ^ word) * 0x100000001B3ULL;
        hash ^= hash >> 29;
    }
    return hash;
}

Timestamp wall() {
    if (Shard* shard = Shard::current()) return shard->wall_now();
    return system_now();
}

std::int64_t wall_ahead() {
    return wall().ms - table_now().ns / 1'000'000;
}

Error io_error(const std::string& what, const std::string& path) {
    return Error(ErrorKind::io, "snapshot",
                 what + " " + path + ": " + std::generic_category().message(errno));
}

Result<> write_all(int fd, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return io_error("writing", path);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

/// Makes the rename itself survive a loss of power.
void sync_folder_of(const std::string& path) {
    std::size_t slash = path.rfind('/');
    std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    ::fsync(fd);
    ::close(fd);
}

}  // namespace

SnapshotWriter::SnapshotWriter(const TableOptions& options, const char* types)
    : version_(options.version), types_(checksum_of(types)), wall_ahead_ms_(wall_ahead()) {}

std::string& SnapshotWriter::begin_entry(std::int64_t expires) {
    ++count_;
    std::int64_t wall_ms = expires == 0 ? 0 : expires / 1'000'000 + wall_ahead_ms_;
    TableCodec<std::int64_t>::write(body_, wall_ms);
    return body_;
}

Result<std::size_t> SnapshotWriter::finish(const std::string& path) {
    static std::atomic<unsigned> number{0};
    std::string temporary =
        path + ".tmp" + std::to_string(::getpid()) + "." + std::to_string(number++);
    int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return io_error("creating", temporary);
    Header header{magic, format, version_, types_, count_, body_.size(), checksum_of(body_)};
    std::string head;
    TableCodec<Header>::write(head, header);
    Result<> written = write_all(fd, head, temporary);
    if (written) written = write_all(fd, body_, temporary);
    if (written && ::fsync(fd) != 0) written = io_error("syncing", temporary);
    if (::close(fd) != 0 && written) written = io_error("closing", temporary);
    if (written && ::rename(temporary.c_str(), path.c_str()) != 0)
        written = io_error("renaming to", path);
    if (!written) {
        ::unlink(temporary.c_str());
        return std::move(written).error();
    }
    sync_folder_of(path);
    return static_cast<std::size_t>(count_);
}

Error SnapshotReader::damaged(const std::string& path) {
    return Error(ErrorKind::invalid, "damaged", "the snapshot " + path + " is damaged");
}

Result<SnapshotReader> SnapshotReader::open(const std::string& path, const TableOptions& options,
                                            const char* types) {
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in && errno == ENOENT)
        return Error(ErrorKind::not_found, "no_snapshot", "there is no file " + path);
    if (!in) return io_error("opening", path);
    SnapshotReader reader;
    reader.file_ = std::make_shared<std::string>(std::istreambuf_iterator<char>(in),
                                                 std::istreambuf_iterator<char>());
    if (in.bad()) return io_error("reading", path);
    reader.rest_ = *reader.file_;
    Header header;
    if (!TableCodec<Header>::read(reader.rest_, header) || header.magic != magic)
        return damaged(path);
    if (header.format != format)
        return Error(ErrorKind::unsupported, "format", path + " is of another format");
    if (header.version != options.version || header.types != checksum_of(types))
        return Error(ErrorKind::unsupported, "version",
                     path + " holds entries of another version or other types");
    if (header.size != reader.rest_.size() || header.checksum != checksum_of(reader.rest_))
        return damaged(path);
    reader.count_ = header.count;
    reader.wall_ahead_ms_ = wall_ahead();
    return reader;
}

bool SnapshotReader::begin_entry(std::int64_t& expires, bool& damaged) {
    std::int64_t wall_ms = 0;
    damaged = !TableCodec<std::int64_t>::read(rest_, wall_ms);
    // Clocks differ between machines and boots; only the remaining life carries over.
    expires = wall_ms == 0 ? 0 : std::max<std::int64_t>(1, (wall_ms - wall_ahead_ms_) * 1'000'000);
    return !damaged && !expired(expires);
}

}  // namespace bennu::detail
