#include "bennu/net/tcp_stream.hpp"

#include <gtest/gtest.h>

#include "bennu/runtime/runtime.hpp"

namespace bennu::net::tcp_stream_test {

using namespace std::chrono_literals;

/// Says at each event that no more will be written, as what waits for the other end to close does.
class Lingering : public Server {
  public:
    struct Events {
        using Reply = int;
    };
    explicit Lingering(SocketAddress address) : address_(std::move(address)) {}
    Task<Result<>> init() {
        Result<SocketHandle> socket = reactor().connect(address_);
        if (!socket) co_return std::move(socket).error();
        stream_.adopt(*socket);
        co_return stream_.watch();
    }
    void handle_io(std::uint8_t, Readiness ready) {
        ++events_;
        if (ready.writable) stream_.shutdown_write();
    }
    int handle(Events) { return events_; }

  private:
    SocketAddress address_;
    TcpStream stream_{-1};
    int events_ = 0;
};

TEST(TcpStream, who_says_again_and_again_that_nothing_follows_is_not_kept_busy_by_that) {
    run({.shards = 1, .handle_signals = false}, []() -> Task<Result<>> {
        // The kernel takes the connection, and nobody closes it.
        const Result<SocketHandle> listener = reactor().listen({"127.0.0.1", 0}, {});
        const SocketAddress address = reactor().local_address(*listener);
        auto lingering = co_await require(co_await start<Lingering>({}, address));
        co_await sleep(100ms);
        const int events = co_await call(lingering, Lingering::Events{});
        EXPECT_GT(events, 0);
        EXPECT_LT(events, 5);
        reactor().close(*listener);
        co_return {};
    });
}

}  // namespace bennu::net::tcp_stream_test
