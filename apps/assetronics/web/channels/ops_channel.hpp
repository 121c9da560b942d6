#pragma once

#include <memory>

#include "apps/assetronics/lib/ops/ops.hpp"
#include "bennu/channel/channel.hpp"
#include "bennu/channel/typescript.hpp"

namespace assetronics::web {

struct OperationRequest {
    std::string pid;
    std::optional<int> seconds;
};
BENNU_RECORD(OperationRequest, pid, seconds)

struct PracticeRequest {
    bool running = false;
};
BENNU_RECORD(PracticeRequest, running)

/// `ops:processes`: the supervision tree, live, and what an operator does to it. Join params: the
/// `token`, where the node has one.
class OpsChannel : public bennu::Channel {
  public:
    explicit OpsChannel(std::shared_ptr<const ops::Access> access) : access_(std::move(access)) {}

    static bennu::ChannelTypes types();
    bennu::Task<bennu::Join> join(bennu::Topic topic, bennu::Json params) override;
    bennu::Task<> after_join() override;
    bennu::Task<> handle_down(bennu::Down down) override;

  private:
    bennu::Task<> begin();
    bennu::Task<bennu::Result<>> operate(OperationRequest request, bennu::Event event);
    bennu::Task<bennu::Result<>> practice(PracticeRequest request);
    bennu::Task<bennu::Result<>> refresh();

    std::shared_ptr<const ops::Access> access_;
};

}  // namespace assetronics::web
