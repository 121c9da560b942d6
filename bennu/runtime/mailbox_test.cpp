#include "bennu/runtime/mailbox.hpp"

#include <map>
#include <set>

#include "bennu/base/events.hpp"
#include "bennu/runtime/insight/snapshot.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/runtime_state.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::mailbox_test {

using namespace std::chrono_literals;

detail::Shard& shard_of(Pid pid) {
    return Runtime::current()->shard(pid.shard());
}

/// Keeps what came, in order, and takes its time.
template <Overflow policy, std::uint32_t max_waiting = 3>
struct Inbox : Server {
    static constexpr MailboxOptions mailbox{
        .limit = 4, .overflow = policy, .waiting_limit = max_waiting};
    struct Item {
        int sender, number;
    };
    struct Ask {
        using Reply = int;
        int sender, number;
    };
    struct Hold {
        Duration time;
    };
    Task<> handle(Item item) {
        seen.emplace_back(item.sender, item.number);
        if (random().below(3) == 0) co_await sleep(Duration(random().below(2'000'000)));
    }
    Task<int> handle(Ask ask) {
        seen.emplace_back(ask.sender, ask.number);
        if (random().below(3) == 0) co_await sleep(Duration(random().below(2'000'000)));
        co_return ask.number;
    }
    Task<> handle(Hold hold) { co_await sleep(hold.time); }
    std::vector<std::pair<int, int>> seen;
};

/// What one sender sent came in that order.
void expect_order(const std::vector<std::pair<int, int>>& seen) {
    std::map<int, int> last;
    for (auto [sender, number] : seen) {
        auto [at, first] = last.try_emplace(sender, number);
        if (!first) {
            EXPECT_GT(number, std::exchange(at->second, number));
        }
    }
}

struct Tally {
    int sent = 0;
    std::set<std::pair<int, int>> got_in, refused;
};

template <typename S>
Task<> sends_items(Ref<S> to, int sender, Tally& tally) {
    for (int number = 0; number < 60; ++number) {
        ++tally.sent;
        switch (random().below(3)) {
            case 0:
                cast(to, typename S::Item{sender, number});
                break;
            case 1: {
                auto sent = co_await send(to, typename S::Item{sender, number},
                                          {.timeout = Duration(1 + random().below(5'000'000))});
                if (sent) tally.got_in.emplace(sender, number);
                if (!sent && sent.error().kind() == ErrorKind::overloaded)
                    tally.refused.emplace(sender, number);
                break;
            }
            default: {
                auto answer =
                    co_await try_call(to, typename S::Ask{sender, number},
                                      {.timeout = Duration(1 + random().below(5'000'000))});
                if (answer) tally.got_in.emplace(sender, number);
                if (!answer && answer.error().kind() == ErrorKind::overloaded)
                    tally.refused.emplace(sender, number);
            }
        }
        if (random().below(2) == 0) co_await sleep(Duration(random().below(3'000'000)));
    }
}

template <Overflow policy>
void accounts_for_everything(SimOptions options) {
    using S = Inbox<policy>;
    finishes(options, []() -> Task<Result<>> {
        Tally tally;
        Ref<S> inbox(*co_await spawn_on(1, [] { return spawn<S>().pid(); }));
        std::vector<Pid> senders;
        for (int i = 0; i < 6; ++i) {
            senders.push_back(
                *co_await spawn_on(static_cast<std::uint8_t>(i % 2), [&tally, inbox, i] {
                    return spawn_task([&tally, inbox, i] [[clang::coro_wrapper]] () -> Task<> {
                        return sends_items(inbox, i, tally);
                    });
                }));
        }
        // Two of them are cut short, wherever they are.
        co_await sleep(Duration(random().below(60'000'000)));
        kill(senders[0]);
        kill(senders[1]);
        for (Pid sender : senders) (void)co_await exit_of(sender);
        co_await sleep(1s);

        detail::Shard& shard = shard_of(inbox.pid());
        std::vector<std::pair<int, int>> seen;
        (void)co_await spawn_on(1, [&seen, inbox] {
            seen = local_body(inbox)->seen;
            return Pid();
        });
        // Nothing is lost but what is counted, and nothing comes twice.
        std::set<std::pair<int, int>> distinct(seen.begin(), seen.end());
        EXPECT_EQ(distinct.size(), seen.size());
        EXPECT_EQ(seen.size() + shard.messages_rejected() + shard.messages_dropped() +
                      shard.calls_skipped(),
                  static_cast<std::size_t>(tally.sent));
        EXPECT_EQ(shard.gauges().waiting_senders, 0U);
        if (policy != Overflow::drop_oldest) {
            EXPECT_EQ(shard.messages_dropped(), 0U);
            for (auto item : tally.got_in) EXPECT_TRUE(distinct.contains(item));
        }
        for (auto item : tally.refused) EXPECT_FALSE(distinct.contains(item));
        expect_order(seen);
        co_return {};
    });
}

BENNU_SIM_TEST(Mailbox, that_rejects_accounts_for_everything, options) {
    accounts_for_everything<Overflow::reject>(options);
}
BENNU_SIM_TEST(Mailbox, that_drops_the_oldest_accounts_for_everything, options) {
    accounts_for_everything<Overflow::drop_oldest>(options);
}
BENNU_SIM_TEST(Mailbox, that_blocks_accounts_for_everything, options) {
    accounts_for_everything<Overflow::block>(options);
}

BENNU_SIM_TEST(Mailbox, senders_wait_in_order_up_to_a_limit, options) {
    finishes(options, []() -> Task<Result<>> {
        using S = Inbox<Overflow::block>;
        auto inbox = spawn<S>();
        detail::Shard& shard = shard_of(inbox.pid());
        cast(inbox, S::Hold{10ms});
        co_await yield_now();
        int answered = 0, overloaded = 0;
        std::vector<Pid> callers;
        for (int i = 0; i < 10; ++i) {
            callers.push_back(spawn_task([&, i]() -> Task<> {
                auto answer = co_await try_call(inbox, S::Ask{0, i});
                if (answer) ++answered;
                if (!answer && answer.error().kind() == ErrorKind::overloaded) ++overloaded;
            }));
        }
        co_await sleep(1ms);
        EXPECT_EQ(shard.gauges().waiting_senders, 3U);
        cast(inbox, S::Item{1, 0});  // cannot wait
        EXPECT_EQ(shard.messages_rejected(), 4U);
        for (Pid caller : callers) (void)co_await exit_of(caller);
        EXPECT_EQ(answered, 7);
        EXPECT_EQ(overloaded, 3);
        const auto& seen = local_body(inbox)->seen;
        for (std::size_t i = 0; i < seen.size(); ++i)
            EXPECT_EQ(seen[i], std::pair(0, static_cast<int>(i)));
        co_return {};
    });
}

BENNU_SIM_TEST(Mailbox, a_sender_that_waits_loses_nothing_and_holds_little, options) {
    finishes(options, []() -> Task<Result<>> {
        using S = Inbox<Overflow::block>;
        for (std::uint8_t shard : {0, 1}) {
            Ref<S> inbox(*co_await spawn_on(shard, [] { return spawn<S>().pid(); }));
            for (int i = 0; i < 200; ++i) {
                EXPECT_TRUE(co_await send(inbox, S::Item{0, i}));
                // Four in the mailbox, one that runs.
                EXPECT_LE(shard_of(inbox.pid()).find(inbox.pid())->mailbox, 4U);
            }
            co_await sleep(1s);
            EXPECT_EQ(shard_of(inbox.pid()).messages_rejected(), 0U);
            std::vector<std::pair<int, int>> seen;
            (void)co_await spawn_on(shard, [&] {
                seen = local_body(inbox)->seen;
                return Pid();
            });
            EXPECT_EQ(seen.size(), 200U);
            EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
        }
        co_return {};
    });
}

BENNU_SIM_TEST(Mailbox, a_waiting_sender_learns_what_became_of_it, options) {
    finishes(options, []() -> Task<Result<>> {
        using S = Inbox<Overflow::block>;
        for (std::uint8_t where : {0, 1}) {
            Ref<S> inbox(*co_await spawn_on(where, [] { return spawn<S>().pid(); }));
            detail::Shard& shard = shard_of(inbox.pid());
            cast(inbox, S::Hold{1h});
            co_await sleep(1ms);
            for (int i = 0; i < 4; ++i) EXPECT_TRUE(co_await send(inbox, S::Item{0, i}));
            Instant start = now();
            auto late = co_await send(inbox, S::Item{0, 4}, {.timeout = 50ms});
            EXPECT_EQ(late.error().kind(), ErrorKind::timeout);
            EXPECT_GE(now() - start, 50ms);
            // Those that gave up make room for others that wait.
            for (int i = 0; i < 5; ++i)
                EXPECT_EQ((co_await send(inbox, S::Item{0, 5}, {.timeout = 1ms})).error().kind(),
                          ErrorKind::timeout);
            EXPECT_EQ(shard.messages_rejected(), 0U);
            Result<> outcome;
            Pid sender =
                spawn_task([&]() -> Task<> { outcome = co_await send(inbox, S::Item{0, 6}); });
            co_await sleep(1ms);
            kill(inbox.pid());
            (void)co_await exit_of(sender);
            EXPECT_EQ(outcome.error().kind(), ErrorKind::closed);
            EXPECT_EQ((co_await send(inbox, S::Item{0, 7})).error().code(), "noproc");
            EXPECT_EQ(shard.gauges().waiting_senders, 0U);
        }
        co_return {};
    });
}

struct Lanes : Server {
    static constexpr MailboxOptions mailbox{.limit = 100, .lanes = true};
    struct Urgent {
        static constexpr Priority priority = Priority::high;
        int number = 0;
    };
    struct Usual {
        int number = 0;
    };
    struct Idle {
        static constexpr Priority priority = Priority::low;
        int number = 0;
    };
    struct Hold {
        Duration time;
    };
    Task<Result<>> init() {
        co_await sleep(1ms);
        seen += 'i';
        co_return {};
    }
    void handle(Urgent m) { note('h', m.number); }
    void handle(Usual m) { note('n', m.number); }
    void handle(Idle m) { note('l', m.number); }
    Task<> handle(Hold m) { co_await sleep(m.time); }
    void note(char lane, int number) {
        seen += lane;
        EXPECT_EQ(number, next[lane]++);
    }
    std::string seen;
    std::map<char, int> next;
};

BENNU_SIM_TEST(Lanes, urgent_messages_go_first_and_the_others_get_their_share, options) {
    finishes(options, []() -> Task<Result<>> {
        auto lanes = spawn<Lanes>();
        int high = 0, normal = 0, low = 0;
        // Whatever the order in which they come.
        while (high < 20 || normal < 4 || low < 2) {
            std::uint64_t pick = random().below(3);
            if (pick == 0 && high < 20) cast(lanes, Lanes::Urgent{.number = high++});
            if (pick == 1 && normal < 4) cast(lanes, Lanes::Usual{normal++});
            if (pick == 2 && low < 2) cast(lanes, Lanes::Idle{low++});
        }
        EXPECT_EQ(detail::Shard::current()->find(lanes.pid())->mailbox, 27U);
        co_await sleep(10ms);
        // The start was the first of eight.
        EXPECT_EQ(local_body(lanes)->seen, "ihhhhhhhnhhhhhhhhnhhhhhnnll");
        EXPECT_FALSE(detail::Shard::current()->find(lanes.pid())->has(detail::Process::queues));
        co_return {};
    });
}

BENNU_SIM_TEST(Lanes, none_starves, options) {
    finishes(options, []() -> Task<Result<>> {
        auto lanes = spawn<Lanes>();
        co_await sleep(2ms);
        local_body(lanes)->seen.clear();
        for (int i = 0; i < 50; ++i) cast(lanes, Lanes::Usual{i});
        for (int i = 0; i < 3; ++i) cast(lanes, Lanes::Idle{i});
        for (int i = 0; i < 99; ++i) cast(lanes, Lanes::Urgent{.number = i});
        co_await sleep(10ms);
        std::string seen = local_body(lanes)->seen;
        std::size_t since_normal = 0, since_low = 0, normal = 50, low = 3, high = 99;
        for (char lane : seen) {
            since_normal = lane == 'n' ? 0 : since_normal + 1;
            since_low = lane == 'l' ? 0 : since_low + 1;
            --(lane == 'n' ? normal : lane == 'l' ? low : high);
            if (normal > 0) {
                EXPECT_LE(since_normal, 9U);
            }
            if (low > 0) {
                EXPECT_LE(since_low, 64U);
            }
        }
        EXPECT_EQ(seen.size(), 152U);
        co_return {};
    });
}

BENNU_SIM_TEST(Lanes, each_has_a_limit_of_its_own, options) {
    finishes(options, []() -> Task<Result<>> {
        auto lanes = spawn<Lanes>();
        cast(lanes, Lanes::Hold{10ms});
        co_await sleep(2ms);
        for (int i = 0; i < 150; ++i) cast(lanes, Lanes::Usual{i});
        EXPECT_EQ(detail::Shard::current()->messages_rejected(), 50U);
        for (int i = 0; i < 101; ++i) cast(lanes, Lanes::Urgent{.number = i});
        EXPECT_EQ(detail::Shard::current()->messages_rejected(), 51U);
        co_await sleep(20ms);
        EXPECT_EQ(local_body(lanes)->next['n'], 100);
        EXPECT_EQ(local_body(lanes)->next['h'], 100);
        co_return {};
    });
}

template <Overflow policy>
struct Small : Server {
    static constexpr MailboxOptions mailbox{.limit = 2, .overflow = policy, .waiting_limit = 0};
    struct Note {};
    Task<Result<>> init() {
        started = true;
        co_await sleep(1ms);
        co_return {};
    }
    void handle(Note) { ++notes; }
    void handle(Down) { ++downs; }
    bool started = false;
    int notes = 0, downs = 0;
};

template <Overflow policy>
Task<> keeps_signals() {
    auto small = spawn<Small<policy>>();
    std::vector<Pid> others;
    for (int i = 0; i < 5; ++i) {
        others.push_back(spawn_task([]() -> Task<> { co_await sleep(1h); }));
        detail::Shard* shard = detail::Shard::current();
        shard->watch(*shard->find(small.pid()), others.back(), false, {});
    }
    for (Pid other : others) kill(other);
    for (int i = 0; i < 10; ++i) cast(small, typename Small<policy>::Note{});
    co_await sleep(10ms);
    EXPECT_TRUE(local_body(small)->started);
    EXPECT_EQ(local_body(small)->downs, 5);
    EXPECT_LE(local_body(small)->notes, 2);
}

BENNU_SIM_TEST(Mailbox, the_end_of_a_monitored_process_always_fits_in, options) {
    finishes(options, []() -> Task<Result<>> {
        co_await keeps_signals<Overflow::reject>();
        co_await keeps_signals<Overflow::drop_oldest>();
        co_await keeps_signals<Overflow::block>();
        co_return {};
    });
}

BENNU_SIM_TEST(Mailbox, overflow_is_announced_once_a_second_and_shown, options) {
    finishes(options, []() -> Task<Result<>> {
        using S = Inbox<Overflow::drop_oldest>;
        std::vector<std::uint64_t> counts;
        auto listening =
            subscribe_events("runtime.mailbox.overflow", [&counts](const EventView& event) {
                counts.push_back(std::get<std::uint64_t>(event.measurements[0].value.data()));
            });
        auto inbox = spawn<S>();
        cast(inbox, S::Hold{1h});
        co_await sleep(1ms);
        for (int i = 0; i < 1004; ++i) cast(inbox, S::Item{0, i});
        co_await sleep(999ms);
        EXPECT_EQ(counts, (std::vector<std::uint64_t>{1}));
        co_await sleep(2ms);
        cast(inbox, S::Item{0, 0});
        co_await sleep(1ms);
        EXPECT_EQ(counts, (std::vector<std::uint64_t>{1, 1000}));
        auto snapshot = co_await runtime::snapshot();
        EXPECT_EQ(snapshot.shards.at(0).dropped, 1001U);
        EXPECT_EQ(snapshot.shards.at(1).dropped, 0U);
        co_return {};
    });
}

TEST(MailboxMultiShard, senders_wait_across_threads) {
    using S = Inbox<Overflow::block, 1000>;
    int status = run({.shards = 2, .handle_signals = false}, []() -> Task<Result<>> {
        Ref<S> inbox(*co_await spawn_on(1, [] { return spawn<S>().pid(); }));
        std::vector<Pid> senders;
        for (int i = 0; i < 8; ++i) {
            senders.push_back(spawn_task([inbox, i]() -> Task<> {
                for (int number = 0; number < 50; ++number) {
                    if (number % 2 == 0) {
                        EXPECT_TRUE(co_await send(inbox, S::Item{i, number}));
                    } else {
                        EXPECT_EQ(co_await call(inbox, S::Ask{i, number}, {.timeout = 1min}),
                                  number);
                    }
                }
            }));
        }
        // Callers that are cancelled while they wait.
        for (int i = 0; i < 20; ++i) {
            Pid caller =
                spawn_task([inbox]() -> Task<> { (void)co_await try_call(inbox, S::Ask{100, 0}); });
            co_await yield_now();
            kill(caller);
        }
        for (Pid sender : senders) (void)co_await exit_of(sender);
        std::vector<std::pair<int, int>> seen;
        (void)co_await spawn_on(1, [&] {
            seen = local_body(inbox)->seen;
            return Pid();
        });
        std::erase_if(seen, [](auto item) { return item.first == 100; });
        EXPECT_EQ(seen.size(), 400U);
        expect_order(seen);
        co_return {};
    });
    EXPECT_EQ(status, 0);
}

}  // namespace bennu::mailbox_test
