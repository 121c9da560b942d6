#pragma once

#include <signal.h>

#include <memory>
#include <optional>
#include <vector>

#include "bennu/runtime/launcher/launcher.hpp"
#include "bennu/runtime/launcher/node_process.hpp"
#include "bennu/runtime/launcher/program_image.hpp"
#include "bennu/runtime/launcher/service_manager.hpp"

namespace bennu {

/// The launcher at work: one thread that waits for signals, for its nodes, and for the clock.
class LauncherLoop {
  public:
    LauncherLoop(const LaunchOptions& options, std::string program, int listener,
                 const NamedDescriptors& given);

    int run();

  private:
    using Node = std::unique_ptr<NodeProcess>;

    void wait();
    void on_signal(int signal);
    void on_clock();
    void collect();

    // A node's life (launcher_loop.cpp).
    bool start_current();
    void on_ready();
    void on_current_ended(int status);
    void report(const NodeProcess& node, int status);
    void publish_quarantine();
    void stop_all();
    void finish(int status) { result_ = status; }

    // Upgrades (launcher_upgrade.cpp).
    void begin_wanted_upgrade();
    void on_check_ended(int status);
    void on_next_ended(int status);
    void on_next_ready();
    void become(const std::string& path, Handover::Step step, int previous);
    bool roll_back(std::string_view why);
    bool can_roll_back() const { return previous_ >= 0; }
    void keep_current(std::string_view why);

    const LaunchOptions& options_;
    std::string program_;
    int listener_;
    int signals_ = -1;
    int previous_ = -1;  ///< the program before the upgrade, open, while it may be gone back to
    Instant forget_previous_at_ = Instant::max();
    RestartPolicy policy_;
    Quarantine quarantine_;
    ServiceManager manager_;

    Node current_;                ///< serves, or is about to
    Node next_;                   ///< of an upgrade, until it is ready
    std::vector<Node> leaving_;   ///< finish their requests
    pid_t check_ = 0;             ///< tries the new program; 0: nobody
    std::vector<pid_t> helpers_;  ///< work on crash reports
    Instant check_until_ = Instant::max();
    Instant next_until_ = Instant::max();  ///< when `next_` must be ready
    Instant start_at_ = Instant::max();    ///< the next start of a node, after a crash
    Instant alive_at_ = Instant::max();
    Instant quarantine_changes_at_ = Instant::max();
    bool announced_ = false;  ///< `current_` is known to be ready
    bool has_terminal_ = false;
    bool upgrade_wanted_ = false;
    bool stopping_ = false;
    int stop_status_ = 0;
    std::optional<int> result_;
};

}  // namespace bennu
