#pragma once

#include <memory>

#include "apps/assetronics/lib/ops/ops.hpp"
#include "bennu/channel/channel.hpp"

namespace assetronics::web {

/// `ops:processes`: the supervision tree, live, and what an operator does to it. Join params: the
/// `token`, where the node has one.
class OpsChannel : public bennu::Channel {
  public:
    explicit OpsChannel(std::shared_ptr<const ops::Access> access) : access_(std::move(access)) {}

    bennu::Task<bennu::Join> join(bennu::Topic topic, bennu::Json params) override;
    bennu::Task<> after_join() override;
    bennu::Task<bennu::Reply> handle_in(bennu::Event event, bennu::Json payload) override;
    bennu::Task<> handle_down(bennu::Down down) override;

  private:
    bennu::Task<> begin();
    bennu::Task<bennu::Reply> operate(ops::Action action, const bennu::Json& payload);
    bennu::Task<bennu::Reply> practice(const bennu::Json& payload);

    std::shared_ptr<const ops::Access> access_;
};

}  // namespace assetronics::web
