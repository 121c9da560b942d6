#pragma once

#include "apps/assetronics/lib/ops/history.hpp"
#include "apps/assetronics/lib/ops/picture.hpp"
#include "bennu/runtime/insight/ping.hpp"

namespace assetronics::ops {

/// Looks at the tree four times a second while somebody watches, and says what changed: once, for
/// all viewers. Idle, it has no timer.
class Sampler : public bennu::Server {
  public:
    struct Watch {
        using Reply = bennu::Payload;
        bennu::Pid viewer;
    };
    struct Everything {
        using Reply = bennu::Payload;
    };
    struct Operate {
        using Reply = Result<>;
        Operation operation;
    };
    struct Tick {};

    Task<bennu::Payload> handle(Watch message);
    Task<bennu::Payload> handle(Everything);
    Task<Result<>> handle(Operate message);
    Task<> handle(Tick);
    void handle(bennu::runtime::Pong pong);
    void handle(bennu::Down down) { viewers_.erase(down.pid); }

    static constexpr std::string_view name = "ops.sampler";

  private:
    struct Asked {
        std::uint64_t number = 0;  ///< 0: it has answered
        bennu::Instant at;
    };

    Task<> look();
    Task<> look_at_totals();
    void ask_for_beats();
    void note_runs_of_coroutines();
    bennu::Payload everything() const;
    Result<> allow(const Operation& operation, const Picture::Seen& seen);

    std::unordered_map<bennu::Pid, bennu::MonitorId> viewers_;
    bool ticking_ = false;
    std::int64_t seq_ = 0;
    Picture picture_;
    std::vector<Picture::Seen> told_;
    History history_;
    RuntimeTotals totals_;
    bool totals_new_ = false;  ///< since the last tick
    bennu::Instant totals_due_;
    std::uint64_t pings_ = 0;
    std::unordered_map<bennu::Pid, Asked> asked_;
    std::unordered_map<bennu::Pid, std::int64_t> keys_;
    Picture::Watched answered_;
    std::vector<std::vector<std::int64_t>> beats_;  ///< key and microseconds
    bennu::Instant last_drill_;
};

}  // namespace assetronics::ops
