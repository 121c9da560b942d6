#include "bennu/net/client/curl_transport.hpp"

#include "bennu/net/client/client_url.hpp"
#include "bennu/net/client/curl_loop.hpp"
#include "bennu/runtime/simulation.hpp"

namespace bennu::net {

namespace {

class [[nodiscard]] AwaitTransfer : detail::Answer<Result<ClientResponse>> {
  public:
    AwaitTransfer(CurlLoop& loop, std::shared_ptr<CurlTransfer> transfer)
        : loop_(loop), transfer_(std::move(transfer)) {}
    ~AwaitTransfer() {
        if (submitted_ && !value) loop_.cancel(std::move(transfer_));
    }
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        const Instant deadline = transfer_->request.deadline;
        if (deadline != Instant::max()) transfer_->time = deadline - now();
        transfer_->reply = begin(coroutine, deadline);
        submitted_ = true;
        loop_.submit(transfer_);
    }
    Result<ClientResponse> await_resume() {
        release();
        if (!value) return Error(ErrorKind::timeout, "timeout", "the time is up");
        return std::move(*value);
    }

  private:
    CurlLoop& loop_;
    std::shared_ptr<CurlTransfer> transfer_;
    bool submitted_ = false;
};

/// One streamed transfer as its shard sees it: hands pieces of the upload over while it waits for
/// what comes back. Its end is the transfer's.
class Streaming : public PieceSource {
  public:
    Streaming(std::shared_ptr<CurlLoop> loop, std::shared_ptr<CurlTransfer> transfer,
              std::unique_ptr<PieceSource> upload)
        : loop_(std::move(loop)), transfer_(std::move(transfer)), upload_(std::move(upload)) {}
    ~Streaming() override { loop_->cancel(transfer_); }

    Task<Result<ClientResponse>> answer() {
        const Instant deadline = transfer_->request.deadline;
        loop_->submit(transfer_);
        while (true) {
            if (auto answer = transfer_->flow->take_answer()) co_return *std::move(answer);
            if (now() >= deadline) co_return Error(ErrorKind::timeout, "timeout", "the time is up");
            if (transfer_->flow->wants_upload()) {
                co_await require(hand_over());
            } else {
                co_await CurlFlow::News(*transfer_->flow, deadline);
            }
        }
    }
    Task<Result<std::optional<std::string>>> next() override {
        while (true) {
            CurlFlow::Piece piece = transfer_->flow->take();
            if (piece.resume) loop_->resume(transfer_);
            if (!piece.text.empty()) co_return std::optional<std::string>(std::move(piece.text));
            if (piece.error) co_return std::move(*piece.error);
            if (piece.over) co_return std::optional<std::string>();
            if (transfer_->flow->wants_upload()) {
                co_await require(hand_over());
            } else {
                co_await CurlFlow::News(*transfer_->flow, Instant::max());
            }
        }
    }

  private:
    Task<Result<>> hand_over() {
        std::optional<std::string> piece = co_await require(upload_->next());
        if (piece) {
            transfer_->flow->give(*std::move(piece));
        } else {
            transfer_->flow->upload_ended();
        }
        loop_->resume(transfer_);
        co_return {};
    }

    std::shared_ptr<CurlLoop> loop_;
    std::shared_ptr<CurlTransfer> transfer_;
    std::unique_ptr<PieceSource> upload_;
};

class CurlTransport : public Transport {
  public:
    explicit CurlTransport(CurlTransportOptions options)
        : loop_(std::make_shared<CurlLoop>(std::move(options))) {}
    Task<Result<ClientResponse>> send(ClientRequest request) override {
        Result<ClientUrl> url = parse_client_url(request.url);
        if (!url) co_return std::move(url).error();
        if (request.deadline <= now())
            co_return Error(ErrorKind::timeout, "timeout", "the time is up");
        if (request.method == Method::other || request.method == Method::connect)
            co_return Error(ErrorKind::unsupported, "method", "the client does not send that");
        const ClientUpload upload = std::exchange(request.upload, {});
        auto transfer = std::make_shared<CurlTransfer>();
        transfer->request = std::move(request);
        transfer->origin = url->origin();
        if (upload || transfer->request.delivery == Delivery::streamed)
            co_return co_await stream(std::move(transfer), upload);
        Result<ClientResponse> answer = co_await AwaitTransfer(*loop_, std::move(transfer));
        co_return answer;
    }

  private:
    Task<Result<ClientResponse>> stream(std::shared_ptr<CurlTransfer> transfer,
                                        ClientUpload upload) {
        const ClientRequest& request = transfer->request;
        const bool streamed = request.delivery == Delivery::streamed;
        const Instant end = streamed ? request.body_deadline : request.deadline;
        if (end != Instant::max()) transfer->time = end - now();
        transfer->flow = std::make_unique<CurlFlow>(loop_->options().stream_buffer);
        const BodyLimits limits = request.body_limits();
        std::unique_ptr<PieceSource> pieces;
        if (upload) {
            pieces = upload.begin();
            transfer->uploads = true;
            transfer->upload_length = upload.length();
        }
        auto streaming = std::make_unique<Streaming>(loop_, std::move(transfer), std::move(pieces));
        ClientResponse answer = co_await require(streaming->answer());
        if (streamed) answer.stream = ClientBody(std::move(streaming), limits);
        co_return answer;
    }

    std::shared_ptr<CurlLoop> loop_;
};

struct NoNetwork : Transport {
    Task<Result<ClientResponse>> send(ClientRequest) override {
        co_return Error(ErrorKind::unsupported, "simulated",
                        "libcurl's sockets are not simulated: give the client a stub transport");
    }
};

}  // namespace

std::shared_ptr<Transport> make_curl_transport(CurlTransportOptions options) {
    if (simulated_network()) return std::make_shared<NoNetwork>();
    return std::make_shared<CurlTransport>(std::move(options));
}

}  // namespace bennu::net
