#pragma once

#include <map>
#include <memory>
#include <vector>

#include "bennu/runtime/supervisor/child_spec.hpp"
#include "bennu/runtime/supervisor/crew.hpp"
#include "bennu/runtime/supervisor/listed.hpp"
#include "bennu/runtime/supervisor/restart_meter.hpp"

namespace bennu {

struct DynamicSupervisorOptions {
    std::size_t max_children = SIZE_MAX;
    RestartBudget budget;
    Duration shutdown = std::chrono::seconds(5);  ///< of adopted children
};

/// Holds children that come and go (connections, sessions, jobs): started on demand, identified by
/// their pid, all alike in order. Starts do not wait for one another: a slow init() of one child
/// delays nobody. When it stops, all its children stop at the same time.
class DynamicSupervisor final : public Server, public detail::ListedSupervisor {
  public:
    explicit DynamicSupervisor(DynamicSupervisorOptions options = {});
    ~DynamicSupervisor();

    /// Takes over a process that runs already, as a temporary child.
    struct Adopt {
        Pid pid;
    };
    struct Count {
        using Reply = std::size_t;
    };
    /// Error `overloaded` (code `max_children`) when it is full.
    struct StartChild {
        using Reply = Result<Pid>;
        std::unique_ptr<ChildSpec> spec;
    };
    /// Stops a child and forgets it. Error `not_found`.
    struct TerminateChild {
        using Reply = Result<>;
        Pid pid;
    };
    /// At most `limit` of them.
    struct Children {
        using Reply = std::vector<ChildInfo>;
        std::size_t limit = SIZE_MAX;
    };
    struct CountChildren {
        using Reply = ChildCount;
    };
    struct Retry {
        std::uint64_t child;
    };
    struct StartFailed {
        std::uint64_t child;
    };

    Task<Result<>> init();
    Task<> terminate(ExitReason reason);
    void handle(Adopt adopt);
    std::size_t handle(Count) const;
    void handle(StartChild message, From<Result<Pid>> from);
    void handle(TerminateChild message, From<Result<>> from);
    std::vector<ChildInfo> handle(Children message) const;
    ChildCount handle(CountChildren) const;
    void handle(Exit exit);
    void handle(Retry retry);
    void handle(StartFailed failed);
    void describe(detail::SupervisorRow& row, std::size_t max_children) const override;

  private:
    struct Details;
    struct Table;
    Task<Result<>> start(std::unique_ptr<Details> details, From<Result<Pid>> from);
    Task<Result<>> start_again(std::uint64_t serial);
    Task<Result<>> end(Pid pid, Duration shutdown, From<Result<>> from);
    void keep(Pid pid, std::unique_ptr<Details> details);
    void recover(std::unique_ptr<Details> details);
    Task<> give_up(std::string id);
    std::size_t size() const;

    DynamicSupervisorOptions options_;
    Pid parent_;
    std::unique_ptr<Table> table_;
    detail::RestartMeter restarts_;
    std::size_t starting_ = 0;
    std::uint64_t next_serial_ = 1;
    bool stopping_ = false;
    detail::Crew crew_;  ///< last: its branches use the members above
};

Task<Result<Pid>> start_child(Ref<DynamicSupervisor> supervisor, ChildSpec spec);
Task<Result<>> terminate_child(Ref<DynamicSupervisor> supervisor, Pid pid);
Task<Result<std::vector<ChildInfo>>> which_children(Ref<DynamicSupervisor> supervisor);
Task<Result<ChildCount>> count_children(Ref<DynamicSupervisor> supervisor);

}  // namespace bennu
