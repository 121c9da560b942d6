#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/function.hpp"
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/supervisor/start_on.hpp"

namespace bennu {

/// Whom the end of one child concerns: itself only; all children; itself and the rest, which is
/// those that start after it (in a parallel supervisor: those that depend on it).
enum class Strategy : std::uint8_t { one_for_one, one_for_all, rest_for_one };
using enum Strategy;
std::string_view to_string(Strategy strategy);

/// When a child that ended is started again: always; only after an unexpected end; never.
enum class Restart : std::uint8_t { permanent, transient, temporary };

/// Whether a supervisor ends (with reason shutdown) when significant children ended by themselves.
enum class AutoShutdown : std::uint8_t { never, any_significant, all_significant };

/// `in_order`: one child after the other, as listed. `parallel`: a child starts as soon as the
/// children named in its `after` are up. Both stop in the reverse order.
enum class StartOrder : std::uint8_t { in_order, parallel };

/// What follows when the restarts of a child are spent: the supervisor ends with a fault, for its
/// own supervisor to decide; or only this child stays down, until `restart_child`.
enum class WhenSpent : std::uint8_t { escalate, leave_down };

/// Values of `shutdown`: end the child without asking; wait for its terminate() however long it
/// takes.
inline constexpr Duration brutal_kill = Duration::zero();
inline constexpr Duration no_time_limit = Duration::max();

/// How often children may be restarted before it is too much. The first restart in a row is
/// immediate; later ones of the same child wait, twice as long each time, minus a random part.
struct RestartBudget {
    unsigned restarts = 3;
    Duration within = std::chrono::seconds(5);
    Duration backoff =
        std::chrono::milliseconds(10);  ///< before the second restart in a row; doubles
    Duration max_backoff = std::chrono::seconds(30);
    double jitter = 0.5;  ///< how much of the delay is random, 0 to 1
};

/// How to start one child, again and again.
struct ChildSpec {
    std::string id;  ///< unique within its supervisor (dynamic supervisors ignore it)
    /// Runs in the supervisor's process and links what it starts to it, as `child<S>` does. Nobody
    /// as its outcome means that there is nothing to supervise now. An exception counts as an
    /// error.
    Function<Task<Result<Pid>>()> start;
    Restart restart = Restart::permanent;
    Duration shutdown = std::chrono::seconds(5);  ///< how long its terminate() may take
    std::vector<std::string> after{};  ///< ids that must be up first, in a parallel supervisor
    bool significant = false;          ///< see AutoShutdown; not for permanent children
    /// Its own budget; then its restarts do not count against the supervisor's.
    std::optional<RestartBudget> budget{};
    WhenSpent when_spent = WhenSpent::escalate;
};

struct ChildOptions {
    std::string id;    ///< default: the type's name
    std::string name;  ///< registered name
    Restart restart = Restart::permanent;
    Duration shutdown = std::chrono::seconds(5);
    std::vector<std::string> after{};
    bool significant = false;
    std::optional<RestartBudget> budget{};
    WhenSpent when_spent = WhenSpent::escalate;
    /// Where it lives; decided anew at each start.
    Placement place = place::here;
};

enum class ChildState : std::uint8_t {
    starting,
    running,
    waiting,   ///< for its next restart
    stopping,  ///< asked to end by its supervisor
    stopped,   ///< by `terminate_child`
    finished,  ///< ended by itself and is not due to come back
    gave_up,   ///< its own budget is spent
};
std::string_view to_string(ChildState state);

/// One row of `Supervisor::Children`.
struct ChildInfo {
    std::string id;
    Pid pid;  ///< nobody unless it runs
    unsigned restarts = 0;
    std::string last_exit;
    ChildState state = ChildState::starting;
};

/// How many children there are, and how many of them run.
struct ChildCount {
    std::size_t specs = 0;
    std::size_t active = 0;
};

namespace detail {
ChildSpec make_spec(ChildOptions options, std::string default_id);
/// Runs the spec's start function; an exception in it becomes an error. The spec must stay.
Task<Result<Pid>> run_start(ChildSpec& spec);
}  // namespace detail

/// A child made from a server type and (copied) constructor arguments.
template <typename S, typename... A>
ChildSpec child(ChildOptions options, A... args) {
    std::string name = options.name;
    Placement place = options.place;
    ChildSpec spec = detail::make_spec(std::move(options), detail::type_name_of<S>());
    spec.start = [name = std::move(name), place, args...]() -> Task<Result<Pid>> {
        if (std::uint8_t shard = place.choose(); shard != shard_index())
            co_return co_await detail::start_on<S>(shard, name, args...);
        auto started = co_await bennu::start<S>(SpawnOptions{.name = name, .link = true}, args...);
        if (!started) co_return std::move(started).error();
        co_return started->pid();
    };
    return spec;
}

}  // namespace bennu
