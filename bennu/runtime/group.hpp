#pragma once

#include <string>
#include <vector>

#include "bennu/runtime/process.hpp"

namespace bennu {

/// Process groups: named sets of processes of all shards, made by the first `join_group` and gone
/// with the last member. A process leaves its groups by ending, in the step in which it does.
void join_group(const std::string& group, Pid pid = self());
void leave_group(const std::string& group, Pid pid = self());
/// In the order of their Pids, so shard by shard.
std::vector<Pid> group_members(const std::string& group);
/// Those of this shard: none of them is dead.
std::vector<Pid> local_group_members(const std::string& group);
std::vector<std::string> groups_of(Pid pid);

/// Casts a copy of the message to every member; all of them must be servers of type S.
template <typename S, typename M>
void cast_group(const std::string& group, const M& message) {
    for (Pid member : group_members(group)) cast(Ref<S>(member), M(message));
}

}  // namespace bennu
