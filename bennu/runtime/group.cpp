#include "bennu/runtime/group.hpp"

#include "bennu/runtime/multi_registry.hpp"
#include "bennu/runtime/runtime_state.hpp"

namespace bennu {

namespace detail {

struct Groups {
    struct Joined {};
    MultiRegistry<Joined> table;
};

std::shared_ptr<Groups> make_groups() {
    return std::make_shared<Groups>();
}

void on_process(Pid pid, std::shared_ptr<ExitHook> hook, Function<void(Pid)> act) {
    Shard* shard = Shard::current();
    if (pid.shard() != shard->index()) {
        if (pid.shard() < shard->runtime().shard_count())
            shard->post(pid.shard(), [pid, hook = std::move(hook), act = std::move(act)]() mutable {
                on_process(pid, std::move(hook), std::move(act));
            });
        return;
    }
    if (shard->add_exit_hook(pid, std::move(hook))) act(pid);
}

}  // namespace detail

namespace {

auto& groups() {
    return Runtime::current()->groups().table;
}

}  // namespace

void join_group(const std::string& group, Pid pid) {
    groups().add(group, pid);
}
void leave_group(const std::string& group, Pid pid) {
    groups().remove(group, pid);
}
std::vector<Pid> group_members(const std::string& group) {
    return groups().pids(group);
}
std::vector<Pid> local_group_members(const std::string& group) {
    std::vector<Pid> members = groups().pids(group);
    std::erase_if(members, [](Pid pid) { return pid.shard() != shard_index(); });
    return members;
}
std::vector<std::string> groups_of(Pid pid) {
    return groups().keys_of(pid);
}

}  // namespace bennu
