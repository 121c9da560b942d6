#pragma once

#include <signal.h>

#include <memory>
#include <optional>
#include <vector>

#include "bennu/runtime/launcher/hub_process.hpp"
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

    /// One of the nodes that serve side by side, and what may follow it.
    struct Worker {
        Node current;                       ///< serves, or is about to
        Node next;                          ///< of an upgrade, until all of them are ready
        Instant start_at = Instant::max();  ///< the next start of a node, after a crash
        RestartPolicy policy;
    };

    void take_over(const Handover& handover, const NamedDescriptors& given);
    void wait();
    void on_signal(int signal);
    void on_clock();
    void collect();

    // A node's life (launcher_loop.cpp).
    Node start_node(std::size_t worker);
    bool start_current(std::size_t worker);
    void announce();
    void on_current_ended(std::size_t worker, int status);
    void report(const NodeProcess& node, int status);
    void publish_quarantine();
    void stop_all();
    void finish(int status);
    template <typename F>
    void each_node(F&& use);
    bool all_ready() const;
    bool nobody_left() const;

    // Upgrades (launcher_upgrade.cpp).
    void begin_wanted_upgrade();
    void on_check_ended(int status);
    void begin_upgrade();
    void on_next_ended(std::size_t worker, int status);
    void let_next_serve();
    bool upgrading() const;
    void become(const std::string& path, Handover::Step step, int previous);
    void give_up_upgrade(std::string_view why);
    void roll_back(std::string_view why);
    bool can_roll_back() const { return previous_ >= 0; }
    void keep_current(std::string_view why);

    const LaunchOptions& options_;
    std::string program_;
    int listener_;
    int signals_ = -1;
    int previous_ = -1;  ///< the program before the upgrade, open, while it may be gone back to
    Instant forget_previous_at_ = Instant::max();
    Quarantine quarantine_;
    ServiceManager manager_;

    std::vector<Worker> workers_;
    std::vector<Node> leaving_;  ///< finish their requests
    HubProcess hub_;
    pid_t check_ = 0;             ///< tries the new program; 0: nobody
    std::vector<pid_t> helpers_;  ///< work on crash reports
    Instant check_until_ = Instant::max();
    Instant next_until_ = Instant::max();  ///< when the nodes of an upgrade must be ready
    Instant alive_at_ = Instant::max();
    Instant quarantine_changes_at_ = Instant::max();
    bool announced_ = false;  ///< all nodes are known to be ready
    bool has_terminal_ = false;
    bool upgrade_wanted_ = false;
    bool stopping_ = false;
    int stop_status_ = 0;
    std::optional<int> result_;
};

}  // namespace bennu
