#include "bennu/pubsub/hub/hub_adapter.hpp"

#include "bennu/base/log.hpp"
#include "bennu/pubsub/broadcast_wire.hpp"
#include "bennu/pubsub/hub/hub_client.hpp"
#include "bennu/pubsub/incoming.hpp"
#include "bennu/pubsub/presence_tracker.hpp"

namespace bennu::pubsub {

namespace {

constexpr Duration longest_wait = std::chrono::seconds(5);

/// Finds the client by its name: it may have been restarted.
class HubAdapter final : public PubSubAdapter {
  public:
    HubAdapter(std::string client, std::uint64_t node) : client_(std::move(client)), node_(node) {}
    void publish(const Broadcast& broadcast) override {
        cast(whereis<HubClient>(client_), HubClient::Send{.data = encode_broadcast(broadcast)});
    }
    void publish_to(std::uint64_t node, const Broadcast& broadcast) override {
        cast(whereis<HubClient>(client_), HubClient::Send{node, encode_broadcast(broadcast)});
    }
    std::uint64_t node() const override { return node_; }
    void send(std::uint64_t node, std::string message) override {
        cast(whereis<HubClient>(client_), HubClient::Send{node, std::move(message)});
    }

  private:
    std::string client_;
    std::uint64_t node_;
};

ChildSpec child_client(const HubAddress& hub, const std::string& name) {
    ChildSpec spec = bennu::detail::make_spec({.id = "client"}, {});
    spec.start = [hub, name]() -> Task<Result<Pid>> {
        std::uint64_t node = 0;
        while (node == 0) node = random().next();
        HubClientOptions options{.address = hub.address,
                                 .token = hub.token,
                                 .node = node,
                                 .receive = &detail::take_bytes,
                                 .gap = &detail::tell_gap,
                                 .gone = &presence::node_gone};
        auto started = co_await bennu::start<HubClient>(SpawnOptions{.name = name, .link = true},
                                                        std::move(options));
        if (!started) co_return std::move(started).error();
        use_adapter(std::make_shared<HubAdapter>(name, node));
        // Who subscribes before the hub knows this node would miss what others say, and nobody
        // would know. A hub that does not come keeps no node from serving.
        if (!co_await try_call(*started, HubClient::Met{}, {.timeout = longest_wait}))
            log_warning("the hub does not answer; this node serves without it");
        co_return started->pid();
    };
    return spec;
}

}  // namespace

ChildSpec child_hub(HubAddress hub, ChildOptions child) {
    std::string name = std::exchange(child.name, {});
    if (child.id.empty()) child.id = "pubsub_hub";
    ChildSpec spec = child_supervisor(std::move(child), {}, [hub, name] {
        std::vector<ChildSpec> children;
        children.push_back(child_client(hub, name));
        children.push_back(presence::child_trackers());
        return children;
    });
    auto start = std::make_shared<Function<Task<Result<Pid>>()>>(std::move(spec.start));
    spec.start = [hub, start]() -> Task<Result<Pid>> {
        if (!hub) co_return Pid();
        co_return co_await (*start)();
    };
    return spec;
}

}  // namespace bennu::pubsub
