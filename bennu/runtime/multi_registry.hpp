#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "bennu/runtime/exit_hook.hpp"

namespace bennu {

/// Processes under keys, many to many, each pair with a value: what a name (`SpawnOptions::name`)
/// is to one process, a key is to any number of them. One object serves all shards. A process
/// leaves its keys in the step in which it stops being found under its Pid, before any of its
/// destructors run, so no look-up on its own shard ever yields a dead process.
template <typename Value>
class MultiRegistry {
  public:
    struct Member {
        Pid pid;
        Value value;
    };

    MultiRegistry() = default;
    MultiRegistry(const MultiRegistry&) = delete;
    MultiRegistry& operator=(const MultiRegistry&) = delete;

    /// Puts a process under a key; once more replaces its value. For a process of another shard it
    /// takes effect when that shard gets to know. One that is gone is not put anywhere.
    void add(const std::string& key, Pid pid, Value value = {}) {
        detail::on_process(pid, table_,
                           [table = table_, key, value = std::move(value)](Pid found) mutable {
                               std::lock_guard lock(table->mutex);
                               table->members[key].insert_or_assign(found, std::move(value));
                               table->keys[found].insert(key);
                           });
    }
    /// Takes it from one key. Any shard, at once.
    void remove(const std::string& key, Pid pid) {
        std::lock_guard lock(table_->mutex);
        table_->remove(key, pid);
        if (auto keys = table_->keys.find(pid); keys != table_->keys.end()) {
            keys->second.erase(key);
            if (keys->second.empty()) table_->keys.erase(keys);
        }
    }

    /// Everybody under a key, in the order of their Pids.
    std::vector<Member> lookup(const std::string& key) const {
        std::vector<Member> found;
        for_each(key, [&](Pid pid, const Value& value) { found.push_back({pid, value}); });
        return found;
    }
    std::vector<Pid> pids(const std::string& key) const {
        std::vector<Pid> found;
        for_each(key, [&](Pid pid, const Value&) { found.push_back(pid); });
        return found;
    }
    std::vector<std::string> keys_of(Pid pid) const {
        std::lock_guard lock(table_->mutex);
        std::vector<std::string> found;
        if (auto keys = table_->keys.find(pid); keys != table_->keys.end())
            found.assign(keys->second.begin(), keys->second.end());
        return found;
    }
    std::size_t count(const std::string& key) const {
        std::lock_guard lock(table_->mutex);
        auto members = table_->members.find(key);
        return members == table_->members.end() ? 0 : members->second.size();
    }

  private:
    struct Table final : detail::ExitHook {
        void process_ended(Pid pid) override {
            std::lock_guard lock(mutex);
            auto left = keys.extract(pid);
            if (left.empty()) return;
            for (const std::string& key : left.mapped()) remove(key, pid);
        }
        void remove(const std::string& key, Pid pid) {
            auto found = members.find(key);
            if (found == members.end()) return;
            found->second.erase(pid);
            if (found->second.empty()) members.erase(found);
        }
        std::mutex mutex;
        std::unordered_map<std::string, std::map<Pid, Value>> members;
        std::unordered_map<Pid, std::set<std::string>> keys;
    };

    /// With the table locked: `see` must not call back.
    template <typename F>
    void for_each(const std::string& key, F&& see) const {
        std::lock_guard lock(table_->mutex);
        auto members = table_->members.find(key);
        if (members == table_->members.end()) return;
        for (const auto& [pid, value] : members->second) see(pid, value);
    }

    std::shared_ptr<Table> table_ = std::make_shared<Table>();
};

}  // namespace bennu
