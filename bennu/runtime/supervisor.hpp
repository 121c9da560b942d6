#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bennu/base/function.hpp"
#include "bennu/runtime/process.hpp"

namespace bennu {

enum class Strategy : std::uint8_t { one_for_one };
using enum Strategy;

/// When a child that ended is started again: always; only after an unexpected end; never.
enum class Restart : std::uint8_t { permanent, transient, temporary };

/// How often children may be restarted before the supervisor gives up and ends itself, for its own
/// supervisor to decide. Between attempts of one child it backs off exponentially, with jitter.
struct RestartBudget {
    unsigned restarts = 3;
    Duration within = std::chrono::seconds(5);
    Duration backoff =
        std::chrono::milliseconds(10);  ///< before the second restart in a row; doubles
    Duration max_backoff = std::chrono::seconds(30);
};

struct SupervisorOptions {
    Strategy strategy = one_for_one;
    RestartBudget budget;
    std::string name;
    Pid parent;  ///< set by `supervise`: whose end is the supervisor's end
};

/// How to start one child, again and again.
struct ChildSpec {
    std::string id;
    Function<Task<Result<Pid>>()> start;
    Restart restart = Restart::permanent;
    Duration shutdown = std::chrono::seconds(5);  ///< how long its terminate() may take
};

struct ChildOptions {
    std::string id;    ///< default: the type's name
    std::string name;  ///< registered name
    Restart restart = Restart::permanent;
    Duration shutdown = std::chrono::seconds(5);
};

/// One row of `Supervisor::Children`.
struct ChildInfo {
    std::string id;
    Pid pid;  ///< nobody while it waits to be restarted
    unsigned restarts = 0;
    std::string last_exit;
};

/// Starts its children in order, restarts those that end, and stops them in reverse order.
class Supervisor : public Server {
  public:
    Supervisor(SupervisorOptions options, std::vector<ChildSpec> children);
    ~Supervisor();

    struct Children {
        using Reply = std::vector<ChildInfo>;
    };
    /// Adds a child to the running tree and starts it.
    struct StartChild {
        using Reply = Result<Pid>;
        ChildSpec spec;
    };
    struct Retry {
        std::size_t child;
    };

    Task<Result<>> init();
    Task<> terminate(ExitReason reason);
    std::vector<ChildInfo> handle(Children);
    Task<Result<Pid>> handle(StartChild message);
    Task<> handle(Down down);
    /// Children report through monitors; any other link is the one to its own supervisor.
    void handle(Exit exit);
    Task<> handle(Retry retry);

  private:
    struct Child;
    Task<Result<>> start_child(std::size_t index);
    bool spend_budget();
    Task<> restart(std::size_t index);

    SupervisorOptions options_;
    std::vector<std::unique_ptr<Child>> children_;
    std::vector<Instant> recent_restarts_;
};

/// A supervisor as the child of another.
ChildSpec child_supervisor(std::string id, SupervisorOptions options,
                           Function<std::vector<ChildSpec>()> children);

/// Starts a supervisor linked to the caller, with all its children; the first child that fails to
/// start stops those before it, and its error is the outcome.
Task<Result<Ref<Supervisor>>> supervise(SupervisorOptions options, std::vector<ChildSpec> children);

/// A child made from a server type and (copied) constructor arguments.
template <typename S, typename... A>
ChildSpec child(ChildOptions options, A... args) {
    ChildSpec spec;
    spec.id = options.id.empty() ? detail::type_name_of<S>() : std::move(options.id);
    spec.restart = options.restart;
    spec.shutdown = options.shutdown;
    spec.start = [name = std::move(options.name), args...]() -> Task<Result<Pid>> {
        auto started = co_await bennu::start<S>(SpawnOptions{.name = name, .link = true}, args...);
        if (!started) co_return std::move(started).error();
        co_return started->pid();
    };
    return spec;
}

/// Holds many short-lived processes (connections, requests, jobs) of one shard: never restarts
/// them, counts them, stops them all when it stops.
class DynamicSupervisor : public Server {
  public:
    struct Adopt {
        Pid pid;
    };
    struct Count {
        using Reply = std::size_t;
    };
    void handle(Adopt adopt);
    std::size_t handle(Count) { return children_.size(); }
    void handle(Down down);
    Task<> terminate(ExitReason reason);

  private:
    std::unordered_map<Pid, MonitorId> children_;
};

}  // namespace bennu
