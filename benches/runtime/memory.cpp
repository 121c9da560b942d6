// How much memory processes take, by the growth of the resident set.
#include <numeric>
#include <vector>

#include "benches/runtime/measure.hpp"
#include "bennu/runtime/async.hpp"
#include "bennu/runtime/supervisor.hpp"
#include "bennu/runtime/supervisor/dynamic_supervisor.hpp"

namespace bennu::bench {

Task<Result<>> idle_bytes(std::size_t count) {
    std::size_t before = resident_bytes();
    std::vector<Ref<Idle>> refs;
    refs.reserve(count);
    std::size_t list = count * sizeof(Ref<Idle>);
    for (std::size_t i = 0; i < count; ++i) refs.push_back(spawn<Idle>());
    for (auto ref : refs) {
        if (ref.pid().slot() % 4096 == 0) co_await yield_now();
    }
    print("idle_bytes",
          static_cast<double>(resident_bytes() - before - list) / static_cast<double>(count));
    co_return {};
}

/// Children of a dynamic supervisor with a registered name each; first temporary ones, which are
/// measured, then a tenth as many permanent ones, for which the supervisor keeps how to start them.
Task<Result<>> idle_bytes_supervised(std::size_t count) {
    auto supervisor = co_await require(start<DynamicSupervisor>(SpawnOptions{}));
    struct Kind {
        const char* figure;
        const char* prefix;
        Restart restart;
        std::size_t count;
    };
    for (Kind kind : {Kind{"idle_bytes_supervised", "session:", Restart::temporary, count},
                      Kind{"permanent", "service:", Restart::permanent, count / 10 + 1}}) {
        std::size_t before = resident_bytes();
        for (std::size_t i = 0; i < kind.count; ++i) {
            ChildOptions options{.name = kind.prefix + std::to_string(i), .restart = kind.restart};
            co_await require(start_child(supervisor, child<Idle>(std::move(options))));
        }
        print(kind.figure,
              static_cast<double>(resident_bytes() - before) / static_cast<double>(kind.count));
    }
    co_return {};
}

namespace {

/// Spawns its share of the processes on its own shard, gives each a message before any of them
/// runs, and tells when all have handled theirs.
struct Crowd : Server {
    struct Spawn {
        using Reply = int;
        std::size_t count;
    };
    struct Tell {
        using Reply = int;
    };
    struct Handled {
        using Reply = std::size_t;
    };
    struct End {
        using Reply = int;
    };
    Task<int> handle(Spawn m) {
        for (std::size_t i = 0; i < m.count; ++i) {
            members.push_back(spawn<Idle>());
            if (i % 4096 == 0) co_await yield_now();
        }
        co_return 0;
    }
    int handle(Tell) {
        for (auto member : members) cast(member, Idle::Ping{});
        return 0;
    }
    std::size_t handle(Handled) {
        return std::accumulate(
            members.begin(), members.end(), std::size_t{0},
            [](std::size_t sum, Ref<Idle> member) { return sum + local_body(member)->pings; });
    }
    Task<int> handle(End) {
        for (std::size_t i = 0; i < members.size(); ++i) {
            kill(members[i].pid());
            if (i % 4096 == 0) co_await yield_now();
        }
        members = {};
        co_return 0;
    }
    std::vector<Ref<Idle>> members;
};

/// Sends the message to both crowds and waits for both.
template <typename M>
Task<std::size_t> both(const std::vector<Ref<Crowd>>& crowds, M message) {
    std::vector<Async<std::size_t>> answers;
    for (auto crowd : crowds) {
        answers.push_back(async([crowd, message]() -> Task<std::size_t> {
            co_return static_cast<std::size_t>(
                co_await call(crowd, message, {.timeout = std::chrono::minutes(5)}));
        }));
    }
    std::size_t sum = 0;
    for (auto& answer : answers) sum += co_await await(answer, std::chrono::minutes(5));
    co_return sum;
}

}  // namespace

Task<Result<>> ten_million(std::size_t count) {
    std::vector<Ref<Crowd>> crowds;
    for (std::uint8_t shard = 0; shard < shard_count(); ++shard) {
        auto made = co_await spawn_on(shard, [] { return spawn<Crowd>().pid(); });
        crowds.emplace_back(*made);
    }
    std::size_t share = count / crowds.size();
    double every = static_cast<double>(share * crowds.size());
    // Twice: what the first crowd gave back is what the second one lives in.
    for (const char* suffix : {"", "_again"}) {
        auto name = [suffix](std::string text) { return text + suffix; };
        auto start = Clock::now();
        co_await both(crowds, Crowd::Spawn{share});
        print(name("spawn_seconds").c_str(), seconds_since(start));
        std::size_t idle = resident_bytes();
        co_await both(crowds, Crowd::Tell{});
        std::size_t full = resident_bytes();
        std::size_t handled = co_await both(crowds, Crowd::Handled{});
        print(name("seconds").c_str(), seconds_since(start));
        print(name("idle_bytes_each").c_str(), static_cast<double>(idle) / every);
        print(name("ten_million").c_str(), static_cast<double>(full));
        if (handled != share * crowds.size()) co_return Error(ErrorKind::internal, "lost_messages");
        co_await both(crowds, Crowd::End{});
        print(name("bytes_after").c_str(), static_cast<double>(resident_bytes()));
    }
    co_return {};
}

}  // namespace bennu::bench
