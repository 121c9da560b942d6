#pragma once

#include <string>
#include <vector>

#include "bennu/runtime/context.hpp"
#include "bennu/runtime/supervisor/child_spec.hpp"

namespace bennu::detail {

/// What a supervisor says of itself, without being asked by a message: a tree must be readable
/// while its supervisors are busy.
struct SupervisorRow {
    struct Child {
        std::string id;
        Pid pid;
        ChildState state = ChildState::running;
        unsigned restarts = 0;
        std::string last_exit;
        Duration up{};        ///< while it runs
        Duration retry_in{};  ///< while it waits
    };
    Pid pid;
    std::string kind;  ///< its strategy, or `dynamic`
    std::size_t child_count = 0;
    std::vector<Child> children;
};

/// A supervisor that is found in the list of its shard from `list` until it is destroyed.
class ListedSupervisor {
  public:
    ListedSupervisor() = default;
    ListedSupervisor(const ListedSupervisor&) = delete;
    ListedSupervisor& operator=(const ListedSupervisor&) = delete;
    virtual void describe(SupervisorRow& row, std::size_t max_children) const = 0;

  protected:
    ~ListedSupervisor();
    void list();

  private:
    bool listed_ = false;
};

/// What ended a child: for its row, and for the history of restarts.
struct LastEnd {
    Pid pid;
    std::string reason;
    std::vector<std::string> awaits;
    std::uint64_t noted = 0;  ///< its restart in the history, until the child runs again

    void take(Pid ended, const ExitReason& why) { *this = {ended, why.describe(), why.awaits()}; }
    void take(const Error& failed_start) { *this = {{}, failed_start.describe(), {}}; }
};

/// Adds to the shard's history, logs and announces it.
void note_restart(const std::string& child, LastEnd& end, unsigned restarts, Duration delay);
/// The child runs again: completes the history's entry, if there is one.
void note_running(LastEnd& end, Pid pid);

}  // namespace bennu::detail
