#pragma once

#include <deque>
#include <unordered_map>

#include "apps/assetronics/lib/imports/store.hpp"

namespace assetronics::imports {

/// Runs imports, each in a process of its own, a few at a time. One that ends before its time is
/// run again from where it stopped; after some attempts it is marked as failed.
class Manager : public bennu::Server {
  public:
    Manager(Repo repo, std::string folder) : repo_(std::move(repo)), folder_(std::move(folder)) {}

    /// Where files wait.
    struct Folder {
        using Reply = std::string;
    };
    struct Run {
        std::string tenant;
        Id id;
        unsigned attempts = 0;
    };

    struct TakeOver {};

    Task<Result<>> init();
    Task<> handle(TakeOver);
    std::string handle(Folder) { return folder_; }
    void handle(Run run);
    /// A worker's end, or that of the supervisor.
    Task<> handle(bennu::Exit exit);
    Task<> terminate(bennu::ExitReason reason);

    static constexpr std::string_view name = "imports";

  private:
    Task<Result<>> go_on_with_unfinished();
    void start_waiting();
    bool knows(Id id) const;

    Repo repo_;
    std::string folder_;
    std::deque<Run> waiting_;
    std::unordered_map<bennu::Pid, Run> running_;
};

}  // namespace assetronics::imports
