#pragma once

#include <poll.h>

#include <memory>
#include <string>

#include "bennu/runtime/launcher/node_process.hpp"
#include "bennu/runtime/launcher/program_image.hpp"
#include "bennu/runtime/launcher/restart_policy.hpp"

namespace bennu {

/// The launcher's hub: its socket, which outlives it, and the process that serves there. Nodes come
/// back to the socket by themselves when the process was started again.
class HubProcess {
  public:
    HubProcess() = default;
    HubProcess(const HubProcess&) = delete;
    HubProcess& operator=(const HubProcess&) = delete;
    ~HubProcess();

    /// Opens the socket, under a name and a token that nobody can guess.
    Result<> open();
    /// What an earlier image of this launcher left.
    void adopt(const Handover& handover, const NamedDescriptors& given, const HangLimits& hangs);
    void hand_over(Handover& handover, NamedDescriptors& descriptors) const;

    /// Starts the process if it does not run, shall, and is due; looks after it.
    void look(Instant now, const HangLimits& hangs);
    /// When `look` is due at the latest.
    Instant look_at() const;
    /// What to wait for; -1: nothing.
    int control() const { return process_ ? process_->control() : -1; }
    void stop(Duration grace);
    void kill();
    bool running() const { return process_ != nullptr; }

    /// What nodes have to know of it.
    const std::string& address() const { return address_; }
    const std::string& token() const { return token_; }

  private:
    int listener_ = -1;
    std::string address_;
    std::string token_;
    std::unique_ptr<NodeProcess> process_;
    Instant start_at_{};
    RestartPolicy policy_{{}, 0};
    bool stopping_ = false;
};

}  // namespace bennu
