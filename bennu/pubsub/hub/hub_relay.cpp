#include "bennu/pubsub/hub/hub_relay.hpp"

#include "bennu/base/crypto.hpp"
#include "bennu/base/log.hpp"
#include "bennu/runtime/launcher/node.hpp"
#include "bennu/runtime/runtime.hpp"

namespace bennu::pubsub {

/// One node's connection.
class HubRelay::Link : public Server {
  public:
    struct Begin {};

    Link(std::shared_ptr<Shared> relay, SocketHandle socket)
        : relay_(std::move(relay)), stream_(socket) {}
    ~Link() {
        if (id_ == 0) return;
        auto found = relay_->nodes.find(id_);
        if (found == relay_->nodes.end() || found->second != this) return;
        relay_->nodes.erase(found);
        for (auto& [id, link] : relay_->nodes) link->send({HubFrame::Kind::gap, id_});
    }

    void handle(Begin) {
        if (!stream_.watch()) exit_self();
    }
    void handle_io(std::uint8_t, Readiness ready) {
        stream_.note(ready);
        if (ready.writable) flush();
        read();
    }

    void send(const HubFrame& frame) {
        if (stream_.pending() + frame.data.size() > relay_->options.max_queued) {
            lost_ = true;
            return;
        }
        append_hub_frame(stream_.out(), frame);
        if (std::exchange(flush_due_, true)) return;
        // What one turn of the relay brings for this node leaves in one piece.
        at_turn_end([pid = pid_] {
            if (Link* link = local_body(Ref<Link>(pid))) link->flush();
        });
    }
    void set_pid(Pid pid) { pid_ = pid; }

  private:
    void read() {
        using Turn = net::TcpStream::Turn;
        const Turn turn =
            stream_.read_turn([this](std::span<char> bytes) { return receive(bytes); });
        if (turn == Turn::closed || turn == Turn::stopped) {
            exit_self(ExitReason::normal());
        } else if (turn == Turn::portion_read) {
            stream_.go_on_next_turn();
        }
    }

    /// False: whoever sent it is no node.
    bool receive(std::span<char> bytes) {
        reader_.receive({bytes.data(), bytes.size()});
        for (auto next = reader_.next(); next.kind != HubFrameReader::Next::Kind::need_more;
             next = reader_.next()) {
            if (next.kind == HubFrameReader::Next::Kind::malformed || !take(next.frame))
                return false;
        }
        return true;
    }

    bool take(const HubFrame& frame) {
        if (id_ == 0) {
            if (frame.kind != HubFrame::Kind::hello || frame.peer == 0 ||
                !constant_time_equal(frame.data, relay_->options.token)) {
                log_warning("somebody who is no node of this launcher was turned away by the hub");
                return false;
            }
            id_ = frame.peer;
            relay_->nodes[id_] = this;
            return true;
        }
        if (frame.kind != HubFrame::Kind::message) return false;
        const HubFrame passed{.peer = id_, .data = frame.data};
        if (frame.peer != 0) {
            auto found = relay_->nodes.find(frame.peer);
            if (found != relay_->nodes.end()) found->second->send(passed);
            return true;
        }
        for (auto& [id, link] : relay_->nodes) {
            if (link != this) link->send(passed);
        }
        return true;
    }

    void flush() {
        flush_due_ = false;
        if (!stream_.flush()) {
            stop(pid_);  // the node is gone
            return;
        }
        if (lost_ && stream_.pending() == 0) {
            lost_ = false;
            send({.kind = HubFrame::Kind::gap});
        }
    }

    std::shared_ptr<Shared> relay_;
    Pid pid_;
    net::TcpStream stream_;
    HubFrameReader reader_;
    std::uint64_t id_ = 0;
    bool flush_due_ = false;
    bool lost_ = false;
};

Task<Result<>> HubRelay::init() {
    const HubRelayOptions& options = shared_->options;
    auto listener = options.inherited_listener >= 0
                        ? reactor().adopt_listener(options.inherited_listener)
                        : reactor().listen(options.address, {});
    if (!listener) co_return std::move(listener).error();
    listener_ = *listener;
    bound_ = reactor().local_address(listener_);
    co_return watch_io(listener_);
}

Task<> HubRelay::terminate(ExitReason) {
    if (listener_ >= 0) reactor().close(std::exchange(listener_, -1));
    co_return;
}

void HubRelay::handle_io(std::uint8_t, Readiness) {
    SocketHandle socket = -1;
    while (reactor().accept(listener_, socket).kind == IoResult::Kind::done) {
        // Linked: a relay that is gone takes its connections along.
        Ref<Link> link = spawn_with<Link>({.link = true}, shared_, socket);
        local_body(link)->set_pid(link.pid());
        cast(link, Link::Begin{});
    }
}

int run_hub(int listener, std::string token) {
    return run({.shards = 1}, [listener, token]() -> Task<Result<>> {
        std::vector<ChildSpec> children;
        children.push_back(child<HubRelay>(
            {.id = "hub"}, HubRelayOptions{.inherited_listener = listener, .token = token}));
        auto tree = co_await require(supervise({}, std::move(children)));
        notify_ready();
        co_await stop_requested();
        co_await stop_and_wait(tree.pid());
        co_return {};
    });
}

}  // namespace bennu::pubsub
