#include "bennu/net/client/download_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <system_error>

#include "bennu/net/client/request_steps.hpp"
#include "bennu/runtime/offload.hpp"

namespace bennu::net {

namespace {

/// A file under a passing name. Its jobs run one after the other; whoever lets it go last removes
/// it, unless it was kept.
class PartFile {
  public:
    PartFile(std::string target, const Id& name)
        : target_(std::move(target)), path_(target_ + "." + to_string(name) + ".part") {}
    PartFile(const PartFile&) = delete;
    PartFile& operator=(const PartFile&) = delete;
    ~PartFile() {
        if (descriptor_ < 0) return;
        ::close(descriptor_);
        if (!path_.empty()) ::unlink(path_.c_str());
    }

    // Each blocks.
    Result<> create() {
        descriptor_ =
            ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        return descriptor_ < 0 ? failed() : Result<>();
    }
    Result<> write(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return failed();
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
        return {};
    }
    Result<> keep() {
        if (::fsync(descriptor_) != 0 || ::rename(path_.c_str(), target_.c_str()) != 0)
            return failed();
        path_.clear();
        return {};
    }

  private:
    Result<> failed() const {
        return Error(ErrorKind::io, "download", std::generic_category().message(errno))
            .with_context(target_);
    }

    std::string target_;
    std::string path_;
    int descriptor_ = -1;
};

std::optional<std::uint64_t> announced_length(const Headers& headers) {
    const std::string_view text = headers.get("content-length");
    std::uint64_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
    return length;
}

}  // namespace

Task<Result<DownloadedFile>> download_file(HttpClient client, std::string url, std::string file,
                                           DownloadOptions options) {
    options.request.max_body =
        std::min(options.request.max_body.value_or(UINT64_MAX), options.most);
    const std::uint64_t most = *options.request.max_body;
    ClientResponse answer =
        co_await require(client.with({expect_success()})
                             .stream(Method::get, std::move(url), std::move(options.request)));
    if (answer.status != 200)
        co_return Error(ErrorKind::unsupported, "http_" + std::to_string(answer.status),
                        "the server answered with no whole file");
    if (announced_length(answer.headers).value_or(0) > most)
        co_return Error(ErrorKind::too_large, "body_too_large", "the file is longer than allowed");
    auto part = std::make_shared<PartFile>(std::move(file), new_id());
    co_await require(co_await offload([part] { return part->create(); }));
    DownloadedFile done{.headers = answer.headers, .url = answer.url};
    while (auto piece = co_await require(answer.stream.next())) {
        done.bytes += piece->size();
        co_await require(
            co_await offload([part, piece = *std::move(piece)] { return part->write(piece); }));
    }
    co_await require(co_await offload([part] { return part->keep(); }));
    co_return done;
}

}  // namespace bennu::net
