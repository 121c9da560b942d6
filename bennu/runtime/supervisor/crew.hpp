#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "bennu/runtime/answer.hpp"
#include "bennu/runtime/task.hpp"

namespace bennu::detail {

/// Coroutines that run side by side within one process, none of them the handler in progress. Lives
/// in the process's body or in a coroutine of it; its end cancels those that are not done. A fault
/// in a branch becomes the branch's error and goes no further.
class Crew {
  public:
    struct Finished {
        std::uint64_t tag;
        Result<> outcome;
    };

    Crew() = default;
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    /// Starts the branch at once. Not to be called while `next` is awaited.
    void add(std::uint64_t tag, Task<Result<>> branch);
    /// How many were added and not yet taken by `next` or `forget_finished`.
    std::size_t size() const { return branches_.size(); }
    /// Frees what is done, for crews whose branches report by themselves.
    void forget_finished();

    class [[nodiscard]] Next : Answer<Unit> {
      public:
        explicit Next(Crew& crew) : crew_(crew) {}
        bool await_ready() const noexcept { return !crew_.finished_.empty(); }
        void await_suspend(std::coroutine_handle<> coroutine) {
            crew_.waiting_ = begin(coroutine, Instant::max());
        }
        Finished await_resume();

      private:
        Crew& crew_;
    };
    /// Waits for the next branch that is done. The crew must not be empty.
    Next next() { return Next(*this); }

  private:
    struct Done {
        std::uint64_t serial;
        Finished result;
    };
    static Task<> run(Crew* crew, std::uint64_t serial, std::uint64_t tag, Task<Result<>> branch);
    void finish(std::uint64_t serial, std::uint64_t tag, Result<> outcome);

    std::unordered_map<std::uint64_t, Task<>> branches_;
    std::vector<Done> finished_;
    std::uint64_t next_serial_ = 0;
    ReplyTo waiting_;
};

}  // namespace bennu::detail
