#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "bennu/runtime/supervisor.hpp"

/// For the tests of supervisors: a child that notes when it starts and stops, and ends on demand.
namespace bennu::supervisor_testing {

struct Notes {
    std::vector<std::string> lines;  ///< `+a` started, `-a` stopped politely
    std::vector<Instant> starts;
    /// What was noted since the last call, as one line.
    std::string take() {
        std::string text;
        for (const std::string& line : std::exchange(lines, {}))
            text.append(text.empty() ? "" : " ").append(line);
        return text;
    }
};

struct Habits {
    Duration init{};          ///< how long its init() takes
    Duration terminate{};     ///< and its terminate()
    int* failures = nullptr;  ///< this many times its init() ends in an error
    bool crash_on_start = false;
};

struct Noted : Server {
    struct Crash {};
    struct Finish {};
    struct Rest {};
    struct Ping {
        using Reply = Pid;
    };
    Noted(Notes* to, std::string called, Habits with = {})
        : notes(to), name(std::move(called)), habits(with) {}

    Task<Result<>> init() {
        if (habits.init > Duration::zero()) co_await sleep(habits.init);
        notes->starts.push_back(now());
        if (habits.failures && *habits.failures > 0) {
            --*habits.failures;
            notes->lines.push_back("!" + name);
            co_return Error(ErrorKind::unavailable, "not_yet");
        }
        notes->lines.push_back("+" + name);
        if (habits.crash_on_start) cast(Ref<Noted>(self()), Crash{});
        co_return {};
    }
    Task<> terminate(ExitReason) {
        if (habits.terminate > Duration::zero()) co_await sleep(habits.terminate);
        notes->lines.push_back("-" + name);
    }
    void handle(Crash) { throw std::runtime_error(name + " crashes"); }
    void handle(Finish) { exit_self(); }
    Task<> handle(Rest) { co_await sleep(std::chrono::hours(100)); }
    Pid handle(Ping) { return self(); }

    Notes* notes;
    std::string name;
    Habits habits;
};

/// A child of that name, registered as such.
inline ChildSpec noted(Notes& notes, const std::string& name, ChildOptions options = {},
                       Habits habits = {}) {
    options.id = name;
    options.name = name;
    return child<Noted>(std::move(options), &notes, name, habits);
}

template <typename... S>
std::vector<ChildSpec> specs(S... spec) {
    std::vector<ChildSpec> list;
    (list.push_back(std::move(spec)), ...);
    return list;
}

/// Makes a child crash and waits until it is gone and its supervisor is done with what follows.
inline Task<> crash(std::string name, Ref<Supervisor> supervisor) {
    Pid pid = whereis(name);
    cast(Ref<Noted>(pid), Noted::Crash{});
    (void)co_await exit_of(pid);
    (void)co_await try_call(supervisor, Supervisor::CountChildren{});
}

}  // namespace bennu::supervisor_testing
