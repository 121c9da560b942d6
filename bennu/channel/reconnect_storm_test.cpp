// Reconnect storms in the simulator: hundreds of clients with the official client's timetables, and
// a server that is killed, drained, full, or cut off. Everybody is back within what the timetables
// give, no limit of the server is passed meanwhile, and at the end nothing is left of anybody.
#include <gtest/gtest.h>

#include "bennu/channel/reconnect_storm_test.hpp"
#include "bennu/runtime/ask_shard.hpp"
#include "bennu/runtime/insight/snapshot.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/endpoint.hpp"

namespace bennu::reconnect_storm_test {

namespace {

/// The node: all of it ends with this process.
struct Machine : Server {
    Machine(EndpointOptions o, std::shared_ptr<Router> r)
        : options(std::move(o)), router(std::move(r)) {}
    struct Tree {
        using Reply = Pid;
    };
    Task<Result<>> init() {
        std::vector<ChildSpec> children;
        children.push_back(child_endpoint(options, router));
        tree = (co_await require(supervise({}, std::move(children)))).pid();
        co_return {};
    }
    Pid handle(Tree) { return tree; }
    EndpointOptions options;
    std::shared_ptr<Router> router;
    Pid tree;
};

/// The official client's state machine: reconnects, heartbeats, joins, rejoins.
struct Client : Server {
    Client(Storm* s, std::size_t number) : storm(s), index(number) {}

    struct Connect {};
    struct Opened {
        int life;
    };
    struct Received {
        int life;
        std::string text;
    };
    struct Closed {
        int life;
    };
    struct Heartbeat {
        int life;
    };
    struct HeartbeatOver {
        int life;
        int beat;
    };
    struct Join {
        int life;
        std::size_t topic;
        int tries;
    };
    struct JoinOver {
        int life;
        std::size_t topic;
        int tries;
        std::string ref;
    };
    struct Leave {
        using Reply = bool;
    };
    struct Shout {};

    /// Tells the client's process what its connection does.
    struct Handler : net::WebSocketHandler {
        Handler(Ref<Client> c, int l) : client(c), life(l) {}
        void on_open(WebSocketConnection&) override { cast(client, Opened{life}); }
        void on_text(WebSocketConnection&, std::string_view text) override {
            cast(client, Received{life, std::string(text)});
        }
        void on_binary(WebSocketConnection&, std::string_view) override {}
        void on_close(WebSocketConnection&, std::uint16_t, std::string_view) override {
            cast(client, Closed{life});
        }
        Ref<Client> client;
        int life;
    };

    Task<Result<>> init() {
        me = Ref<Client>(self());
        handle(Connect{});
        co_return {};
    }
    void handle(Connect) {
        if (left) return;
        ++life;
        connection = net::connect_websocket({.address = {"127.0.0.1", port},
                                             .path = "/socket/websocket?vsn=2.0.0",
                                             .connect_timeout = connect_timeout},
                                            std::make_unique<Handler>(me, life));
    }
    void handle(Opened opened) {
        if (opened.life != life) return;
        seen().open = true;
        tries = 0;
        send_after(me, Heartbeat{life}, heartbeat_interval);
        for (std::size_t topic = 0; topic < topics.size(); ++topic) handle(Join{life, topic, 0});
    }
    void handle(Closed closed) {
        if (closed.life != life) return;
        if (std::exchange(seen().open, false)) seen().lost = now();
        seen().joined.clear();
        pending.clear();
        if (!left) send_after(me, Connect{}, wait_of(reconnect_waits, tries++));
    }
    void handle(Heartbeat heartbeat) {
        if (heartbeat.life != life || !seen().open) return;
        send(R"([null,"h","phoenix","heartbeat",{}])");
        send_after(me, HeartbeatOver{life, ++beat}, heartbeat_interval);
    }
    void handle(HeartbeatOver over) {
        if (over.life == life && over.beat == beat) close();
    }
    void handle(Join join) {
        if (join.life != life || !seen().open) return;
        const std::string topic(topics[join.topic]), ref = std::to_string(++refs);
        pending[ref] = join;
        current[topic] = ref;
        send("[\"" + ref + "\",\"" + ref + "\",\"" + topic + "\",\"phx_join\",{\"name\":\"c" +
             std::to_string(index) + "\",\"life\":\"" + std::to_string(life) + "\"}]");
        send_after(me, JoinOver{life, join.topic, join.tries, ref}, push_timeout);
    }
    void handle(JoinOver over) {
        if (over.life != life || pending.erase(over.ref) == 0) return;
        current.erase(std::string(topics[over.topic]));
        send("[\"" + over.ref + "\",\"l\",\"" + std::string(topics[over.topic]) +
             "\",\"phx_leave\",{}]");
        rejoin({life, over.topic, over.tries});
    }
    void handle(Received received) {
        if (received.life != life) return;
        const ChannelTest::Frame frame = phoenix::read_server_text(received.text);
        if (frame.event == "shout") ++seen().shouts;
        if (frame.event == "phx_close" || frame.event == "phx_error")
            EXPECT_NE(frame.join_ref, Json(current[frame.topic])) << received.text;
        if (frame.event != "phx_reply") return;
        const std::string ref(frame.ref.as_string());
        if (ref == "h") {
            ++beat;
            send_after(me, Heartbeat{life}, heartbeat_interval);
            return;
        }
        auto join = pending.extract(ref);
        if (join.empty()) return;
        if (frame.payload["status"] != Json("ok")) return rejoin(join.mapped());
        seen().joined.insert(frame.topic);
        if (seen().whole()) seen().back = now();
    }
    bool handle(Leave) {
        left = true;
        close();
        return true;
    }
    void handle(Shout) { send(R"([null,"s","people","shout",{}])"); }

    void rejoin(Join join) {
        const Duration wait = wait_of(rejoin_waits, static_cast<std::size_t>(join.tries++));
        send_after(me, join, wait);
    }
    void send(std::string text) {
        cast(connection, WebSocketConnection::SendText{std::move(text)});
    }
    void close() { cast(connection, WebSocketConnection::CloseWith{}); }
    Seen& seen() { return storm->seen[index]; }

    Storm* storm;
    std::size_t index;
    Ref<Client> me;
    Ref<WebSocketConnection> connection;
    int life = 0, beat = 0;
    std::size_t tries = 0;
    std::uint64_t refs = 0;
    std::map<std::string, Join> pending;         ///< joins without an answer, by ref
    std::map<std::string, std::string> current;  ///< the ref of the last join of each topic
    bool left = false;
};

/// The server, and what is expected of it and of everybody.
class Sea {
  public:
    explicit Sea(Storm* storm) : storm_(storm) {}

    /// With room for everybody.
    Task<> serve() { co_await serve(storm_->seen.size()); }
    Task<> serve(std::size_t most) {
        auto router = std::make_shared<Router>();
        mount_socket(*router, {.channels = {channel<PeopleChannel>("people", storm_),
                                            channel<PeopleChannel>("room:*", storm_)},
                               .limits = limits,
                               .longpoll = std::nullopt});
        const EndpointOptions options{
            .port = port,
            .max_connections = most,
            .drain_batch = static_cast<std::uint32_t>(storm_->seen.size() / 4),
            .drain_pause = 1s};
        // The port of one that is just gone may still be taken.
        for (;;) {
            auto started = co_await start<Machine>(SpawnOptions{}, options, router);
            if (started) {
                machine_ = *started;
                break;
            }
            co_await bennu::sleep(10ms);
        }
        most_ = most;
        up_ = now();
    }
    /// As by kill -9: the kernel cuts what was open.
    Task<> kill_server() {
        kill(machine_.pid());
        simulated_network()->reset_connections(port);
        co_await bennu::sleep(10ms);
    }
    Task<> drain() {
        co_await stop_and_wait(co_await call(machine_, Machine::Tree{}), 1min);
        kill(machine_.pid());
    }

    Task<> come() {
        up();
        for (std::size_t i = 0; i < storm_->seen.size(); ++i) {
            const auto shard = static_cast<std::uint8_t>(i % shard_count());
            Storm* storm = storm_;
            Result<Pid> made =
                co_await spawn_on(shard, [storm, i] { return spawn<Client>(storm, i).pid(); });
            all_.push_back(Ref<Client>(made.value()));
        }
    }
    /// So many of those who are there.
    Task<> leave(std::size_t count) {
        for (std::size_t i = 0; i < all_.size() && count > 0; ++i) {
            if (!storm_->seen[i].whole()) continue;
            (void)co_await call(all_[i], Client::Leave{});
            --count;
        }
    }

    /// Lets time pass, and looks at the server's limits.
    Task<> pass(Duration time) {
        for (const Instant end = now() + time; now() < end;) {
            co_await bennu::sleep(std::min<Duration>(50ms, end - now()));
            auto server = whereis<net::HttpServer>("endpoint");
            if (!server || !alive(server.pid())) continue;
            Result<std::size_t> open =
                co_await try_call(server, net::HttpServer::Connections{}, {.timeout = 1s});
            if (open) EXPECT_LE(*open, most_);
        }
    }
    /// Since the server is there (`up`), and `patience` more than the timetable's wait.
    Task<> expect_back(Duration patience = {}) {
        co_await pass(patience + reconnect_waits.back() + until_joined + 2 * on_the_way);
        for (std::size_t i = 0; i < storm_->seen.size(); ++i) {
            const Seen& seen = storm_->seen[i];
            EXPECT_TRUE(seen.whole()) << "client " << i << " is lost";
            if (seen.back < up_) continue;  // it did not notice
            const Duration away = std::max<Duration>(up_ - seen.lost, Duration::zero());
            EXPECT_LE(seen.back - std::max(up_, seen.lost),
                      patience + wait_after(away) + until_joined + on_the_way)
                << "client " << i << ", away for " << away.count() / 1'000'000 << " ms";
        }
        co_await expect_present(storm_->seen.size());
    }
    Task<> expect_present(std::size_t count) {
        EXPECT_EQ(co_await presence::count("hall"), count);
        for (std::string_view topic : topics) EXPECT_EQ(co_await subscribers(topic), count);
    }
    /// One message of one of them reaches each exactly once.
    Task<> expect_all_hear() {
        for (Seen& seen : storm_->seen) seen.shouts = 0;
        cast(all_[random().below(all_.size())], Client::Shout{});
        co_await bennu::sleep(on_the_way);
        for (const Seen& seen : storm_->seen) EXPECT_EQ(seen.shouts, 1);
    }
    /// On no connection more joins in any time than the limits allow.
    void expect_joins_within_limits() const {
        for (const auto& [connection, at] : storm_->joins) {
            for (std::size_t from = 0; from < at.size(); ++from) {
                for (std::size_t to = from; to < at.size(); ++to) {
                    const double seconds = static_cast<double>((at[to] - at[from]).count()) / 1e9;
                    EXPECT_LE(static_cast<double>(to - from),
                              limits.join_burst + limits.joins_per_second * seconds + 0.01)
                        << connection;
                }
            }
        }
    }
    /// All of them leave, and of nobody anything is left.
    Task<> expect_nothing_left(std::size_t processes) {
        for (Ref<Client> client : all_) (void)co_await call(client, Client::Leave{});
        co_await bennu::sleep(5s);
        co_await expect_present(0);
        EXPECT_EQ(
            co_await call(whereis<net::HttpServer>("endpoint"), net::HttpServer::Connections{}),
            0U);
        for (Ref<Client> client : all_) kill(client.pid());
        co_await bennu::sleep(1s);
        EXPECT_EQ(co_await Sea::processes(), processes);
    }
    static Task<std::size_t> processes() {
        const RuntimeSnapshot all = co_await runtime::snapshot();
        std::size_t count = 0;
        for (const ShardInfo& shard : all.shards) count += shard.processes;
        co_return count;
    }

    std::size_t whole() const {
        return static_cast<std::size_t>(
            std::ranges::count_if(storm_->seen, [](const Seen& seen) { return seen.whole(); }));
    }
    /// From now on clients may reach the server again.
    void up() { up_ = now(); }

  private:
    static Task<std::size_t> subscribers(std::string_view topic) {
        std::size_t count = 0;
        for (std::uint8_t shard = 0; shard < shard_count(); ++shard) {
            count += (co_await ask_shard<std::size_t>(shard, [topic] {
                         return pubsub::subscriber_count(topic);
                     })).value();
        }
        co_return count;
    }

    Storm* storm_;
    Ref<Machine> machine_;
    Instant up_;
    std::size_t most_ = 0;
    std::vector<Ref<Client>> all_;
};

/// Hundreds now and then: they cost seconds.
std::size_t clients_of(const SimOptions& sim) {
    return sim.seed % 10 == 0 ? 300 : 40;
}

Duration up_to(Duration longest) {
    return Duration(
        static_cast<Duration::rep>(random().below(static_cast<std::uint64_t>(longest.count()))));
}

}  // namespace

BENNU_SIM_TEST(ReconnectStorm, everybody_is_back_in_time_and_nothing_is_left, sim) {
    LogCapture quiet;
    sim.shards = 1 + static_cast<unsigned>(sim.seed % 3);
    Storm storm(clients_of(sim));  // ends after the processes
    finishes(sim, [&]() -> Task<Result<>> {
        Sea sea(&storm);
        co_await sea.serve();
        co_await bennu::sleep(1s);
        const std::size_t processes = co_await Sea::processes();
        co_await sea.come();
        co_await sea.expect_back();
        for (int storms = 0; storms < 3; ++storms) {
            switch (random().below(3)) {
                case 0:
                    co_await sea.kill_server();
                    co_await bennu::sleep(
                        up_to(random().chance(0.5) ? Duration(500ms) : Duration(15s)));
                    co_await sea.serve();
                    co_await sea.expect_back();
                    break;
                case 1:
                    co_await sea.drain();
                    co_await bennu::sleep(on_the_way + up_to(5s));
                    EXPECT_EQ(sea.whole(), 0U);
                    co_await sea.serve();
                    co_await sea.expect_back();
                    break;
                default:
                    // Heartbeats notice after half a minute to a minute. An attempt that is under
                    // way when it heals is established, or given up by the client.
                    simulated_network()->partition(port);
                    co_await bennu::sleep(up_to(100s));
                    simulated_network()->heal(port);
                    sea.up();
                    co_await sea.expect_back(connect_timeout);
            }
            co_await sea.expect_all_hear();
        }
        sea.expect_joins_within_limits();
        co_await sea.expect_nothing_left(processes);
        co_return {};
    });
}

BENNU_SIM_TEST(ReconnectStorm, a_full_server_takes_as_many_as_it_may_and_the_others_when_they_can,
               sim) {
    LogCapture quiet;
    sim.shards = 1 + static_cast<unsigned>(sim.seed % 3);
    Storm storm(clients_of(sim));  // ends after the processes
    const std::size_t clients = storm.seen.size();
    finishes(sim, [&]() -> Task<Result<>> {
        Sea sea(&storm);
        co_await sea.serve();
        co_await bennu::sleep(1s);
        const std::size_t processes = co_await Sea::processes();
        co_await sea.come();
        co_await sea.expect_back();
        const std::size_t spare = 1 + random().below(clients / 4);
        co_await sea.kill_server();
        co_await bennu::sleep(up_to(3s));
        co_await sea.serve(clients - spare);
        co_await sea.pass(30s);
        EXPECT_EQ(sea.whole(), clients - spare);
        // Who was turned away all the time comes with its next attempt.
        co_await sea.leave(spare);
        co_await sea.pass(reconnect_waits.back() + until_joined + 2 * on_the_way);
        EXPECT_EQ(sea.whole(), clients - spare);
        co_await sea.expect_present(clients - spare);
        sea.expect_joins_within_limits();
        co_await sea.expect_nothing_left(processes);
        co_return {};
    });
}

BENNU_SIM_TEST(ReconnectStorm, nobody_is_lost_whatever_else_breaks_meanwhile, sim) {
    LogCapture quiet;
    sim.shards = 1 + static_cast<unsigned>(sim.seed % 3);
    // A machine that sleeps finds that everybody has waited, and turns some away.
    sim.faults = {.suspends = 0.3,
                  .resets = 0.005,
                  .losses = 0.002,
                  .delays = 0.02,
                  .until = 40s,
                  .most = 1000};
    Storm storm(clients_of(sim));  // ends after the processes
    const std::size_t clients = storm.seen.size();
    finishes(sim, [&]() -> Task<Result<>> {
        Sea sea(&storm);
        co_await sea.serve();
        co_await bennu::sleep(100ms);
        const std::size_t processes = co_await Sea::processes();
        co_await sea.come();
        while (now() - Instant() < 40s) {
            co_await sea.pass(up_to(8s));
            co_await sea.kill_server();
            co_await bennu::sleep(up_to(3s));
            co_await sea.serve();
        }
        // A connection whose bytes are lost is noticed by its heartbeat.
        co_await sea.pass(2 * heartbeat_interval);
        co_await sea.pass(connect_timeout + reconnect_waits.back() + rejoin_waits.back());
        EXPECT_EQ(sea.whole(), clients);
        co_await sea.expect_present(clients);
        co_await sea.expect_all_hear();
        sea.expect_joins_within_limits();
        co_await sea.expect_nothing_left(processes);
        co_return {};
    });
}

}  // namespace bennu::reconnect_storm_test
