#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "bennu/base/time.hpp"
#include "bennu/runtime/launcher/hang_watch.hpp"
#include "bennu/runtime/launcher/node_page.hpp"
#include "bennu/runtime/launcher/program_image.hpp"

namespace bennu {

/// The monotonic clock.
Instant launcher_now();

/// The launcher's side of one run of a node: its process, the pipe that it speaks through, the page
/// that it shares.
class NodeProcess {
  public:
    /// Starts this program as a node (or the hub) with the listening socket `http`. nullptr when
    /// the system cannot.
    static std::unique_ptr<NodeProcess> start(int listener, const ChildRole& role,
                                              const HangLimits& hangs);
    /// A node that an earlier image of this launcher started.
    static std::unique_ptr<NodeProcess> adopt(pid_t pid, int control, int page,
                                              const HangLimits& hangs);
    ~NodeProcess();
    NodeProcess(const NodeProcess&) = delete;
    NodeProcess& operator=(const NodeProcess&) = delete;

    pid_t pid() const { return pid_; }
    int control() const { return control_; }
    int page_descriptor() const { return page_fd_; }
    NodePage* page() const { return page_; }
    Instant started() const { return started_; }
    bool ready() const { return ready_; }
    const std::string& said() const { return said_; }

    /// Reads what it says.
    void listen();
    /// The wait status, once it has ended.
    std::optional<int> ended();
    /// Asks it to stop, and kills it after the grace.
    void stop(Duration grace);
    void kill();
    /// For one whose end nobody else is going to notice.
    void kill_and_wait();
    /// When `look` is due at the latest.
    Instant look_at() const;
    /// Kills it when its grace is over; does something about a shard that hangs.
    void look(Instant now);
    bool hanging() const { return hangs_.hanging(); }

    /// Which requests and jobs were in flight, one per line.
    std::string in_flight() const;
    /// What the launcher itself did to it, for the report.
    const std::string& note() const { return note_; }

  private:
    NodeProcess(pid_t pid, int control, int page, const HangLimits& hangs);
    void watch_beats(Instant now);
    bool halted() const;

    pid_t pid_;
    int control_;
    int page_fd_;
    NodePage* page_;
    Instant started_ = launcher_now();
    Instant kill_at_ = Instant::max();
    Instant look_at_{};
    Duration look_every_;
    HangWatch hangs_;
    std::string said_;
    std::string note_;
    bool ready_ = false;
};

}  // namespace bennu
