#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bennu/runtime/supervisor/child_spec.hpp"
#include "bennu/runtime/supervisor/dynamic_supervisor.hpp"
#include "bennu/runtime/supervisor/listed.hpp"
#include "bennu/runtime/supervisor/partitions.hpp"
#include "bennu/runtime/supervisor/restart_meter.hpp"
#include "bennu/runtime/supervisor/tree.hpp"

namespace bennu {

struct SupervisorOptions {
    Strategy strategy = one_for_one;
    RestartBudget budget;
    std::string name;
    Pid parent;  ///< set by `supervise`: whose end is the supervisor's end
    StartOrder order = StartOrder::in_order;
    AutoShutdown auto_shutdown = AutoShutdown::never;
};

/// Starts its children, restarts those that end, and stops them in the reverse order. When a budget
/// is spent it stops its children in order and ends with a fault; its own supervisor decides.
class Supervisor final : public Server, public detail::ListedSupervisor {
  public:
    Supervisor(SupervisorOptions options, std::vector<ChildSpec> children);
    ~Supervisor();

    struct Children {
        using Reply = std::vector<ChildInfo>;
    };
    struct CountChildren {
        using Reply = ChildCount;
    };
    /// Adds a child to the running tree and starts it. Error `conflict` when its id is taken.
    struct StartChild {
        using Reply = Result<Pid>;
        ChildSpec spec;
    };
    /// Stops a child and keeps its spec (a temporary child's goes). Error `not_found`.
    struct TerminateChild {
        using Reply = Result<>;
        std::string id;
    };
    /// Starts a child again that was stopped, has finished or gave up. Errors `not_found`,
    /// `conflict`.
    struct RestartChild {
        using Reply = Result<Pid>;
        std::string id;
    };
    /// Forgets a child that does not run. Errors `not_found`, `conflict`.
    struct DeleteChild {
        using Reply = Result<>;
        std::string id;
    };
    struct Retry {
        std::uint64_t child;
    };

    Task<Result<>> init();
    Task<> terminate(ExitReason reason);
    std::vector<ChildInfo> handle(Children) const;
    ChildCount handle(CountChildren) const;
    Task<Result<Pid>> handle(StartChild message);
    Task<Result<>> handle(TerminateChild message);
    Task<Result<Pid>> handle(RestartChild message);
    Result<> handle(DeleteChild message);
    Task<> handle(Down down);
    /// Children report through monitors; any other link is the one to its own supervisor.
    void handle(Exit exit);
    Task<> handle(Retry retry);
    void describe(detail::SupervisorRow& row, std::size_t max_children) const override;

  private:
    struct Child;
    struct Failure {
        Child* child = nullptr;  ///< null: all went well
        Error error{ErrorKind::internal};
    };
    using Set = std::vector<Child*>;  ///< in the order of the list

    Child& add(ChildSpec spec);
    Child* find(const std::string& id) const;
    void remove(Child* child);
    Result<> check(const Child& child) const;
    Result<> check_order() const;
    Set all() const;
    /// Whom the end of this child concerns, itself included.
    Set group(const Child& child) const;
    static bool needs(const Child& child, const Child& other);

    Task<Result<>> start_one(Child& child);
    /// Starts what is not running; stops at the first failure, with the others left as they are.
    Task<Failure> start_all(Set set);
    Task<Failure> start_parallel(Set set);
    Task<Result<>> stop_one(Child& child);
    Task<> stop_all(Set set);
    Task<> stop_parallel(Set set);

    const RestartBudget& budget_of(const Child& child) const;
    bool spend(Child& child);
    Task<> recover(Child* cause);
    Task<> give_up(Child& child);
    void after_significant_end();

    SupervisorOptions options_;
    std::vector<std::unique_ptr<Child>> children_;
    detail::RestartMeter restarts_;
    std::uint64_t next_serial_ = 1;
};

/// A supervisor as the child of another.
ChildSpec child_supervisor(std::string id, SupervisorOptions options,
                           Function<std::vector<ChildSpec>()> children);
ChildSpec child_supervisor(ChildOptions child, SupervisorOptions options,
                           Function<std::vector<ChildSpec>()> children);

/// Starts a supervisor linked to the caller, with all its children; when a child fails to start,
/// those that are up are stopped, and its error is the outcome.
Task<Result<Ref<Supervisor>>> supervise(SupervisorOptions options, std::vector<ChildSpec> children);

// The messages above as functions, which wait for as long as the children take.
Task<Result<Pid>> start_child(Ref<Supervisor> supervisor, ChildSpec spec);
Task<Result<>> terminate_child(Ref<Supervisor> supervisor, std::string id);
Task<Result<Pid>> restart_child(Ref<Supervisor> supervisor, std::string id);
Task<Result<>> delete_child(Ref<Supervisor> supervisor, std::string id);
Task<Result<std::vector<ChildInfo>>> which_children(Ref<Supervisor> supervisor);
Task<Result<ChildCount>> count_children(Ref<Supervisor> supervisor);

}  // namespace bennu
