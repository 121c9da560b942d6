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

/// Adds to the shard's history, logs and announces it.
void note_restart(const std::string& child, const std::string& reason, unsigned restarts,
                  Duration delay);

}  // namespace bennu::detail
