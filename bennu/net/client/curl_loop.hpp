#pragma once

#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "bennu/net/client/curl_flow.hpp"
#include "bennu/net/client/curl_transport.hpp"
#include "bennu/net/client/ip_address.hpp"
#include "bennu/runtime/answer.hpp"

namespace bennu::net {

/// One request, as the thread sees it. The shard that waits knows it by `reply` only, or by `flow`
/// when a body is streamed in either direction.
struct CurlTransfer {
    ClientRequest request;  ///< without its upload, which belongs to the shard
    std::unique_ptr<CurlFlow> flow = {};
    bool uploads = false;
    std::optional<std::uint64_t> upload_length = {};
    std::string origin;
    detail::ReplyTo reply;
    ClientResponse response = {};
    Duration time = Duration::max();  ///< what was left of the deadline when it was handed over
    // Of the thread alone.
    std::chrono::steady_clock::time_point queued = {}, begun = {};
    std::chrono::steady_clock::time_point moved = {};  ///< when a byte of a body last did
    bool upload_begun = false, upload_sent = false;
    bool upload_waits = false;  ///< for the shard
    void* easy = nullptr;
    void* header_list = nullptr;
    void* pin_list = nullptr;
    std::optional<Error> refused = {};  ///< why a callback stopped it
    bool head_done = false;
    bool over = false;
    const CurlTransportOptions* options = nullptr;
    const std::vector<IpAddress>* also_reach = nullptr;
};

/// The thread that drives libcurl's multi interface.
class CurlLoop {
  public:
    explicit CurlLoop(CurlTransportOptions options);
    /// Drops what is under way, without answers.
    ~CurlLoop();
    CurlLoop(const CurlLoop&) = delete;
    CurlLoop& operator=(const CurlLoop&) = delete;

    /// Any thread.
    void submit(std::shared_ptr<CurlTransfer> transfer);
    void cancel(std::shared_ptr<CurlTransfer> transfer);
    /// There is room again for its answer, or more of its upload.
    void resume(std::shared_ptr<CurlTransfer> transfer);
    const CurlTransportOptions& options() const { return options_; }

  private:
    using Clock = std::chrono::steady_clock;
    struct Origin {
        std::size_t running = 0;
        std::deque<std::shared_ptr<CurlTransfer>> waiting;
    };

    void run();
    bool take_orders();
    void enter(std::shared_ptr<CurlTransfer> transfer);
    void begin(std::shared_ptr<CurlTransfer> transfer);
    void leave(std::shared_ptr<CurlTransfer> transfer);
    void collect_finished();
    void watch_clocks();
    void finish(const std::shared_ptr<CurlTransfer>& transfer, Result<ClientResponse> outcome);

    CurlTransportOptions options_;
    std::vector<IpAddress> also_reach_;
    void* multi_;
    std::mutex mutex_;
    std::vector<std::shared_ptr<CurlTransfer>> submitted_, cancelled_, resumed_;
    bool stop_ = false;
    std::unordered_map<void*, std::shared_ptr<CurlTransfer>> running_;
    std::unordered_map<std::string, Origin> origins_;
    std::thread thread_;
};

}  // namespace bennu::net
