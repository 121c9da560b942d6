#include "bennu/net/client/compress_requests.hpp"

#include <zlib.h>

#include <new>

#include "bennu/runtime/offload.hpp"

namespace bennu::net {

namespace {

/// One gzip stream. Used by one job at a time.
class Gzip {
  public:
    explicit Gzip(int level) {
        constexpr int gzip_wrapper = 16;
        if (deflateInit2(&stream_, level, Z_DEFLATED, MAX_WBITS + gzip_wrapper, 8,
                         Z_DEFAULT_STRATEGY) != Z_OK)
            throw std::bad_alloc();
    }
    Gzip(const Gzip&) = delete;
    Gzip& operator=(const Gzip&) = delete;
    ~Gzip() { deflateEnd(&stream_); }

    /// What comes out for this text; with `Z_FINISH` all that is left.
    std::string run(std::string_view text, int flush) {
        std::string out;
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
        stream_.avail_in = static_cast<uInt>(text.size());
        do {
            const std::size_t filled = out.size();
            out.resize(filled + room);
            stream_.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
            stream_.avail_out = room;
            deflate(&stream_, flush);
            out.resize(out.size() - stream_.avail_out);
        } while (stream_.avail_out == 0);
        return out;
    }

  private:
    static constexpr uInt room = 16 << 10;
    z_stream stream_{};
};

constexpr std::size_t longest_piece = 1 << 20;

/// Compresses what another source gives.
class GzipSource : public PieceSource {
  public:
    GzipSource(std::unique_ptr<PieceSource> inner, int level)
        : inner_(std::move(inner)), gzip_(std::make_shared<Gzip>(level)) {}

    Task<Result<std::optional<std::string>>> next() override {
        while (!over_) {
            if (text_.empty()) {
                std::optional<std::string> piece = co_await require(inner_->next());
                last_ = !piece;
                if (piece) text_ = *std::move(piece);
            }
            std::string part = text_.substr(0, longest_piece);
            text_.erase(0, part.size());
            const int flush = last_ ? Z_FINISH : Z_NO_FLUSH;
            over_ = last_;
            std::string out = co_await offload(
                [gzip = gzip_, part = std::move(part), flush] { return gzip->run(part, flush); });
            if (!out.empty()) co_return std::optional<std::string>(std::move(out));
        }
        co_return std::optional<std::string>();
    }

  private:
    std::unique_ptr<PieceSource> inner_;
    std::shared_ptr<Gzip> gzip_;
    std::string text_;
    bool last_ = false, over_ = false;
};

class CompressStep : public Step {
  public:
    explicit CompressStep(CompressRequests options) : options_(options) {}

    Task<Result<ClientResponse>> run(ClientRequest request, Next next) const override {
        if (!request.headers.contains("content-encoding")) {
            if (request.upload) {
                compress_upload(request);
            } else if (request.body.size() >= options_.from) {
                co_await compress_body(request);
            }
        }
        Result<ClientResponse> answer = co_await next(std::move(request));
        co_return answer;
    }

  private:
    void compress_upload(ClientRequest& request) const {
        request.upload =
            request.upload.through([level = options_.level](std::unique_ptr<PieceSource> inner) {
                return std::make_unique<GzipSource>(std::move(inner), level);
            });
        request.headers.set("content-encoding", "gzip");
    }
    Task<> compress_body(ClientRequest& request) const {
        std::string out = co_await offload([body = request.body, level = options_.level] {
            return Gzip(level).run(body, Z_FINISH);
        });
        if (out.size() >= request.body.size()) co_return;
        request.body = std::move(out);
        request.headers.set("content-encoding", "gzip");
    }

    CompressRequests options_;
};

}  // namespace

StepPtr compress_requests(CompressRequests options) {
    if (options.level < 1 || options.level > 9)
        throw std::invalid_argument("gzip has levels from 1 to 9");
    return std::make_shared<CompressStep>(options);
}

}  // namespace bennu::net
