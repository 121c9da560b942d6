#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bennu/base/time.hpp"
#include "bennu/runtime/pid.hpp"

namespace bennu {

/// Names a kind of work, such as a route ("GET /assets/:id") or a job ("job SyncIntegration"): what
/// a crash report calls it, and what the launcher puts in quarantine. Made once and kept.
class WorkKey {
  public:
    WorkKey() = default;
    explicit WorkKey(std::string text);

    const std::string& text() const { return text_; }
    std::uint64_t hash() const { return hash_; }  ///< never 0 for a key that has a text

  private:
    std::string text_;
    std::uint64_t hash_ = 0;
};

/// Says what the running process works on, for as long as it lives: a local of the coroutine that
/// does the work. Costs no allocation. The key outlives it. The newest of several counts.
class WorkLabel {
  public:
    explicit WorkLabel(const WorkKey& key);
    ~WorkLabel();
    WorkLabel(const WorkLabel&) = delete;
    WorkLabel& operator=(const WorkLabel&) = delete;

    const WorkKey& key() const { return key_; }
    /// The newest label of a process of this shard, or nullptr. Async-signal-safe on the shard's
    /// own thread.
    static const WorkLabel* of(WorkLabel* newest, Pid process);

  private:
    const WorkKey& key_;
    Pid process_;
    WorkLabel** head_ = nullptr;  ///< of its shard; none outside of one
    WorkLabel* newer_ = nullptr;
    WorkLabel* older_ = nullptr;
    void* slot_ = nullptr;  ///< in the page that the launcher reads
};

/// How long this kind of work is not to be done any more, because it crashed the node again and
/// again; nothing when it may be done. Any thread; one load while nothing is quarantined.
std::optional<Duration> quarantined(const WorkKey& key);

}  // namespace bennu
